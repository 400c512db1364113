/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/interrupts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

static int read_text(const char *path, char text[RT_CORES_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, text, RT_CORES_BYTES - 1);
    int error = got < 0 ? -errno : 0;
    close(fd);
    text[got > 0 ? got : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    return error;
}

static int read_cores(const char *root, const char *path, struct rt_cores *cores)
{
    char whole[PATH_BYTES], text[RT_CORES_BYTES];
    if (snprintf(whole, sizeof whole, "%s%s", root, path) >= (int)sizeof whole)
        return -ENAMETOOLONG;
    int error = read_text(whole, text);
    return error ? error : rt_cores_parse(text, cores);
}

static int read_affinity(const char *root, int number, const char *file, struct rt_cores *cores)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/irq/%d/%s", number, file);
    return read_cores(root, path, cores);
}

/* The kernel makes a folder for each that handles it; of several the first by name. */
static void read_name(const char *root, struct rt_interrupt *interrupt)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/proc/irq/%d", root, interrupt->number);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        bool first = !interrupt->name[0] || strcmp(entry->d_name, interrupt->name) < 0;
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && first)
            snprintf(interrupt->name, sizeof interrupt->name, "%.*s", RT_INTERRUPT_NAME_BYTES - 1,
                     entry->d_name);
    }
    if (folder)
        closedir(folder);
}

static int is_number(const struct dirent *entry)
{
    return isdigit((unsigned char)entry->d_name[0]) &&
           !entry->d_name[strspn(entry->d_name, "0123456789")];
}

int rt_interrupts_list(const char *root, struct rt_interrupt **list)
{
    char path[PATH_BYTES];
    struct dirent **entry;
    snprintf(path, sizeof path, "%s/proc/irq", root);
    int found = scandir(path, &entry, is_number, versionsort), count = 0;
    if (found < 0)
        return -errno;
    *list = calloc((size_t)found + 1, sizeof **list);
    for (int i = 0; i < found; i++) {
        struct rt_interrupt one = {.number = atoi(entry[i]->d_name)};
        free(entry[i]);
        if (!*list || read_affinity(root, one.number, "smp_affinity_list", &one.allowed))
            continue;
        if (read_affinity(root, one.number, "effective_affinity_list", &one.comes))
            one.comes = one.allowed;
        read_name(root, &one);
        (*list)[count++] = one;
    }
    free(entry);
    return *list ? count : -ENOMEM;
}

/* A virtio device has them one folder up, at its card. */
static bool is_of_card(const struct rt_interrupts_wish *wish, int number)
{
    static const char *const where[] = {"device", "device/.."};
    for (int i = 0; i < RT_INTERRUPTS_CARDS && wish->card[i]; i++) {
        for (size_t w = 0; w < sizeof where / sizeof *where; w++) {
            char path[PATH_BYTES];
            int length = snprintf(path, sizeof path, "%s/sys/class/net/%s/%s/msi_irqs/%d", wish->root,
                                  wish->card[i], where[w], number);
            if (length < (int)sizeof path && !access(path, F_OK))
                return true;
        }
    }
    return false;
}

static int leave(struct rt_interrupts *interrupts, const struct rt_interrupt *one, int error)
{
    size_t count = interrupts->left_count;
    struct rt_interrupts_left *more = realloc(interrupts->left, (count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    interrupts->left = more;
    more[count] = (struct rt_interrupts_left){.number = one->number, .error = error};
    memcpy(more[count].name, one->name, sizeof one->name);
    interrupts->left_count++;
    return 0;
}

static int add_interrupt(struct rt_interrupts *interrupts, const struct rt_interrupts_wish *wish,
                         const struct rt_interrupt *one, const struct rt_cores *others)
{
    char path[PATH_BYTES], text[RT_CORES_BYTES];
    struct rt_cores rest = rt_cores_less(&one->allowed, &wish->hot);
    if (!one->name[0] || !rt_cores_meet(&one->allowed, &wish->hot))
        return 0;
    if (rt_cores_empty(&rest) && is_of_card(wish, one->number))
        return leave(interrupts, one, 0);
    /* cores that are not online take none */
    if (!rt_cores_meet(&rest, others))
        rest = *others;
    snprintf(path, sizeof path, "%s/proc/irq/%d/smp_affinity_list", wish->root, one->number);
    return rt_keeper_add(&interrupts->keeper, path, rt_cores_text(&rest, text));
}

static int hex_digit(char digit)
{
    return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

/* A mask like "ff,ffffffff", core 0 last: its digits stay where they are. */
static bool clear_mask(char *mask, const struct rt_cores *hot)
{
    bool some = false;
    int core = 0;
    for (size_t at = strlen(mask); at-- > 0;) {
        if (!isxdigit((unsigned char)mask[at]))
            continue;
        int digit = hex_digit(mask[at]);
        for (int bit = 0; bit < 4; bit++)
            if (rt_cores_has(hot, core + bit))
                digit &= ~(1 << bit);
        mask[at] = "0123456789abcdef"[digit];
        some |= digit != 0;
        core += 4;
    }
    return some;
}

/* Of those that drivers request while the process runs. */
static int add_default(struct rt_interrupts *interrupts, const struct rt_interrupts_wish *wish)
{
    char path[PATH_BYTES], mask[RT_CORES_BYTES], before[RT_CORES_BYTES];
    snprintf(path, sizeof path, "%s/proc/irq/default_smp_affinity", wish->root);
    int error = read_text(path, mask);
    if (error)
        return error == -ENOENT ? 0 : error;
    memcpy(before, mask, sizeof before);
    if (!clear_mask(mask, &wish->hot) || !strcmp(mask, before))
        return 0;
    return rt_keeper_add(&interrupts->keeper, path, mask);
}

static int make_list(struct rt_interrupts *interrupts, const struct rt_interrupts_wish *wish,
                     const struct rt_interrupt *list, int count)
{
    struct rt_cores online;
    int error = read_cores(wish->root, "/sys/devices/system/cpu/online", &online);
    if (error)
        return error;
    struct rt_cores others = rt_cores_less(&online, &wish->hot);
    if (rt_cores_empty(&others))
        return -EINVAL;
    for (int i = 0; i < count && !error; i++) {
        error = add_interrupt(interrupts, wish, &list[i], &others);
        if (error == -ENOENT)       /* gone meanwhile */
            error = 0;
    }
    return error ? error : add_default(interrupts, wish);
}

/* Those of the list whose file refused: of the kernel's own, or managed by their driver. */
static int note_refused(struct rt_interrupts *interrupts, const struct rt_interrupt *list, int count)
{
    int error = 0;
    for (size_t i = 0; i < interrupts->keeper.count && !error; i++) {
        const struct rt_kept *kept = &interrupts->keeper.kept[i];
        const char *number = strstr(kept->path, "/proc/irq/") + strlen("/proc/irq/");
        bool one = isdigit((unsigned char)*number);
        interrupts->moved += one && !kept->error;
        for (int k = 0; one && kept->error && k < count && !error; k++)
            if (list[k].number == atoi(number))
                error = leave(interrupts, &list[k], kept->error);
    }
    return error;
}

/* One that takes over finds them where they are to be. */
static int share(struct rt_interrupts *interrupts, const struct rt_interrupts_wish *wish)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/proc/irq/default_smp_affinity", wish->root);
    int error = rt_keeper_share(&interrupts->keeper, path);
    return error == -ENOENT ? 0 : error;
}

int rt_interrupts_away(struct rt_interrupts *interrupts, const struct rt_interrupts_wish *wish)
{
    struct rt_interrupt *list = NULL;
    *interrupts = (struct rt_interrupts){0};
    /* first: who went before may be putting them back now */
    int error = share(interrupts, wish);
    int count = error ? error : rt_interrupts_list(wish->root, &list);
    error = count < 0 ? count : make_list(interrupts, wish, list, count);
    if (!error && interrupts->keeper.count) {
        int written = rt_keeper_start(&interrupts->keeper);
        error = written < 0 ? written : note_refused(interrupts, list, count);
    }
    free(list);
    if (error)
        rt_interrupts_restore(interrupts);
    return error;
}

int rt_interrupts_restore(struct rt_interrupts *interrupts)
{
    int error = rt_keeper_end(&interrupts->keeper);
    free(interrupts->left);
    *interrupts = (struct rt_interrupts){0};
    return error;
}
