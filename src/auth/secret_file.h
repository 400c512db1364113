/* SPDX-License-Identifier: Apache-2.0 */
/* Files of keys and tokens are replaced whole or not at all. */
#ifndef FLYBALL_AUTH_SECRET_FILE_H
#define FLYBALL_AUTH_SECRET_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* setup: `fill` prints `what`; 0 or -errno. The new file has mode 0600 and is on the disk before this
 * returns; after an error the old one stands. 0 or -errno. */
int secret_file_write(const char *path, int (*fill)(const void *what, FILE *out), const void *what);

/* cold: is another file, or what was written anew, under this name since? *seen is what stands there now:
 * zeros where nothing does, as before the first look. */
bool secret_file_changed(const char *path, struct stat *seen);

#endif
