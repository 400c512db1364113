/* SPDX-License-Identifier: Apache-2.0 */
/* What all do who write beside a key file. */
#ifndef FLYBALL_CLI_KEYS_LOCK_H
#define FLYBALL_CLI_KEYS_LOCK_H

/* cold: takes turns with every other writer of this key file. The descriptor to be closed, or -errno. */
int keys_lock(const char *key_path);

/* cold: says on standard error what is wrong with the file; the exit code. */
int keys_fail(const char *path, int error);

#endif
