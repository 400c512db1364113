/* SPDX-License-Identifier: Apache-2.0 */
/* The range of the paper, and what of each device lies on it. */
#include "cli/check/plot/plot_page.h"

#include <math.h>

#define SHORTEST_S 0.01
#define LONGEST_S 10000.0
#define BESIDE 1.3              /* room right of the last pickup where no fault current is stated */
#define RELAY_END 20.0          /* times its setting: a relay's curve is flat from there (domain.md 1.1) */
#define MOVED 0.005

const struct plot_look *plot_look(const struct plot_page *page, uint32_t row)
{
    /* the palette of Okabe and Ito without its yellow, which is too light for lines, and darker ones */
    static const struct plot_look look[] = {
        {"#0072B2", "", 45, 7},         {"#D55E00", "7 3", -45, 7},      {"#009E73", "2 3", 0, 6},
        {"#B0508A", "9 3 2 3", 90, 6},  {"#000000", "12 4", 20, 9},      {"#56B4E9", "4 2", -20, 9},
        {"#E69F00", "1 2", 70, 5},      {"#5B3A8E", "14 3 3 3", -70, 5}, {"#7A4B1E", "5 5", 30, 5},
        {"#2F6B6B", "3 6", -30, 5},     {"#A00030", "9 2 9 6", 60, 9},   {"#6B6B00", "2 2 6 2", -60, 9},
    };
    static const struct plot_look bare = {"#777777", "", 0, 9};
    uint32_t before = 0;

    _Static_assert(sizeof look / sizeof look[0] >= ANCESTORS_MAX, "no two devices of a sheet look alike");
    for (uint32_t i = 0; i < row; i++)
        before += page->row[i].curve;
    return page->row[row].curve ? &look[before] : &bare;
}

double plot_volts(const struct plot_page *page, uint32_t node)
{
    const struct model_node *n = page->study->site->model.node;

    return (double)n[node].volts_ln_mv / (double)n[page->sheet->node[page->sheet->base]].volts_ln_mv;
}

bool plot_moved(double amperes, double before)
{
    return fabs(amperes - before) > MOVED * (before > amperes ? before : amperes);
}

/* The lowest current a device has anything to say about. */
static double lowest_a(const struct plot_row *row)
{
    const struct site_device *d = row->subject.device;
    int64_t ma = d->long_time_ma ? d->long_time_ma : d->rating_ma;

    if (row->subject.ground)
        ma = d->ground.pickup_ma;
    else if (d->kind == DEVICE_RELAY)
        ma = d->relay.pickup_ma;
    else if (d->min_count)
        ma = d->min[0].ma;
    return (double)ma / 1e3;
}

/* Where its curve has no more news, its own amperes. */
static double highest_a(const struct plot_row *row)
{
    const struct site_device *d = row->subject.device;
    double most = lowest_a(row) * (d->kind == DEVICE_RELAY ? RELAY_END : 1);

    if (row->subject.ground)
        return BESIDE * 2 * most;
    for (int role = 0; role < ELEMENT_ROLE_COUNT; role++) {
        double slow = role == ELEMENT_GROUND ? 0 : curve_pickup_a(d, (enum breaker_element_role)role,
                                                                  EDGE_SLOW);

        most = slow > most ? slow : most;
    }
    if (d->min_count && (double)d->min[d->min_count - 1].ma / 1e3 > most)
        most = (double)d->min[d->min_count - 1].ma / 1e3;
    if (d->max_count && (double)d->max[d->max_count - 1].ma / 1e3 > most)
        most = (double)d->max[d->max_count - 1].ma / 1e3;
    return BESIDE * most;
}

/* Down to the least that is marked, but not further than a decade. */
static double lowest_mark_a(const struct plot_page *page, double from)
{
    double least = from;

    for (uint32_t i = 0; i < page->count && !page->sheet->ground; i++) {
        uint32_t node = page->row[i].node;
        double steady =
            (double)page->study->site->model.node[node].steady_ma / 1e3 * page->row[i].subject.volts;

        least = steady > 0 && steady < least ? steady : least;
        for (uint32_t c = 0; c < page->study->site->model.contingency_count; c++) {
            double a = study_fail_safe_a(page->study, node, c) * page->row[i].subject.volts;

            least = a > 0 && a < least ? a : least;
        }
    }
    return least < from / 10 ? from / 10 : least;
}

static double boot_a(const struct plot_page *page, const struct plot_row *row)
{
    double a = page->study->coordination->node[row->node].boot_a * row->subject.volts;

    return isfinite(a) && !page->sheet->ground ? a : 0;
}

static void find_range(struct plot_page *page)
{
    double low = INFINITY, high = 0;

    for (uint32_t i = 0; i < page->count; i++) {
        const struct plot_row *row = &page->row[i];
        double fault = page->study->coordination->node[row->node].fault_a;
        double most = 0, boot = boot_a(page, row);

        if (row->curve) {
            low = fmin(low, lowest_a(row) * row->subject.volts / 2);
            most = highest_a(row) * row->subject.volts;
        }
        most = fault > 0 && !page->sheet->ground ? fault * row->subject.volts : most;
        high = fmax(high, fmax(most, boot * 1.05));
    }
    page->axis.low_a = plot_round_down(lowest_mark_a(page, low));
    page->axis.high_a = plot_round_up(fmax(high, 10 * page->axis.low_a));
    page->axis.low_s = SHORTEST_S;
    page->axis.high_s = LONGEST_S;
}

static void add_row(struct plot_page *page, uint32_t node)
{
    struct plot_row *row = &page->row[page->count++];
    const struct site_device *d = &page->study->site->device[node];

    row->node = node;
    row->curve = d->kind != DEVICE_NONE;
    row->subject = (struct plot_subject){d, page->sheet->ground, plot_volts(page, node), 0};
}

void plot_page_lay_out(struct plot_page *page)
{
    page->count = 0;
    for (uint32_t i = 0; i < page->sheet->count; i++)
        add_row(page, page->sheet->node[i]);
    find_range(page);
    page->axis.left = PAGE_LEFT;
    page->axis.width = PAGE_RIGHT - PAGE_LEFT;
    page->axis.height = PAGE_PAPER;
    page->axis.top = page->strip + (page->sheet->ground ? 0 : PAGE_STRIP * page->count + 6);
    for (uint32_t i = 0; i < page->count; i++) {
        struct plot_row *row = &page->row[i];
        double fault = page->study->coordination->node[row->node].fault_a * row->subject.volts;

        row->subject.until_a = fault > 0 && !page->sheet->ground ? fault : page->axis.high_a;
        for (int e = 0; e < PLOT_EDGE_COUNT && row->curve; e++)
            plot_trace(&row->line[e], &page->axis, &row->subject, (enum plot_edge)e);
    }
}
