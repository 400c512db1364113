/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLYBALL_RECORD_FOLDER_H
#define FLYBALL_RECORD_FOLDER_H

/* cold: what was just made or renamed at this path outlives a crash by its name, too: its folder is synced.
 * 0, also where a file system has nothing to sync there; else -errno. */
int folder_sync(const char *path);

#endif
