/* SPDX-License-Identifier: Apache-2.0 */
#include "port/hugepages.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static uint64_t free_pages(const char *folder, const char *size)
{
    char path[PATH_MAX];
    uint64_t pages = 0;
    snprintf(path, sizeof path, "%s/%s/free_hugepages", folder, size);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%" SCNu64, &pages) != 1)
        pages = 0;
    fclose(file);
    return pages;
}

uint64_t hugepages_free_mib(const char *folder)
{
    DIR *sizes = opendir(folder);
    uint64_t kib = 0, page_kib;
    if (!sizes)
        return 0;
    for (const struct dirent *entry; (entry = readdir(sizes)) != NULL;)
        if (sscanf(entry->d_name, "hugepages-%" SCNu64 "kB", &page_kib) == 1)
            kib += page_kib * free_pages(folder, entry->d_name);
    closedir(sizes);
    return kib / 1024;
}
