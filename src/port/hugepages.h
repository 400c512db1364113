/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages that nobody has taken. */
#ifndef FLYBALL_PORT_HUGEPAGES_H
#define FLYBALL_PORT_HUGEPAGES_H

#include <stdint.h>

#define HUGEPAGES_SYSFS "/sys/kernel/mm/hugepages"

/* setup: MiB in free huge pages of every size, as the folder (HUGEPAGES_SYSFS) says; 0 without such a
 * folder. */
uint64_t hugepages_free_mib(const char *folder);

#endif
