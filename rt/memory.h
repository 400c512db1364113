/* SPDX-License-Identifier: Apache-2.0 */
/* Locked memory: a page fault in a hot thread costs more than a whole decision. */
#ifndef FLYBALL_RT_MEMORY_H
#define FLYBALL_RT_MEMORY_H

/* setup: locks what is mapped now and later. Call after everything large is mapped. 0 or -errno. */
int rt_lock_memory(void);

#endif
