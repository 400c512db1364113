/* SPDX-License-Identifier: Apache-2.0 */
#include "act/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static struct survey_time quantiles(int64_t *span_ns, uint32_t calls)
{
    qsort(span_ns, calls, sizeof span_ns[0], ascending);
    return (struct survey_time){calls, span_ns[0], span_ns[(calls - 1) / 2], span_ns[calls - 1]};
}

static void look_at(struct survey_device *seen, struct act *act, uint32_t device, uint32_t calls,
                    int64_t pause_ns)
{
    int64_t reading_ns[SURVEY_CALLS_MAX], sampling_ns[SURVEY_CALLS_MAX];
    struct timespec pause = {.tv_sec = pause_ns / NS_PER_S, .tv_nsec = pause_ns % NS_PER_S};
    for (uint32_t i = 0; i < calls; i++) {
        if (pause_ns)
            nanosleep(&pause, NULL);
        int64_t begin_ns = now_ns();
        seen->read_back_error = act->driver->read_back(act, device, &seen->enforced_mw);
        int64_t middle_ns = now_ns();
        seen->sample_error = act->driver->sample(act, device, &seen->sample);
        reading_ns[i] = middle_ns - begin_ns;
        sampling_ns[i] = now_ns() - middle_ns;
    }
    seen->read_back = quantiles(reading_ns, calls);
    seen->sampling = quantiles(sampling_ns, calls);
}

int survey_take(struct survey *survey, const struct act_driver *driver, const struct act_place *place,
                uint32_t calls, int64_t pause_ns)
{
    struct act act;
    *survey = (struct survey){.driver = driver};
    if (calls < 1 || calls > SURVEY_CALLS_MAX || pause_ns < 0)
        return survey->error = -EINVAL;
    int64_t begin_ns = now_ns();
    survey->error = act_open(&act, driver, place, survey->why);
    survey->open_ns = now_ns() - begin_ns;
    if (survey->error)
        return survey->error;
    survey->count = act.count;
    for (uint32_t i = 0; i < act.count; i++) {
        survey->device[i].device = act.device[i];
        survey->device[i].device.own = NULL;
        look_at(&survey->device[i], &act, i, calls, pause_ns);
    }
    act_close(&act);
    return 0;
}
