/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and names in files of sysfs: one line, a digit or more, nothing else; and what drivers share whose
 * devices are found below a class. */
#ifndef FLYBALL_ACT_SYSFS_H
#define FLYBALL_ACT_SYSFS_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>

#include "act/act.h"

/* any: digits, with '-' before them or not, the end of the line or not, and nothing else: 0, -EBADMSG, or
 * -ERANGE beyond int64_t. */
int sysfs_parse(const char *text, size_t bytes, int64_t *value);

/* any: a file's number. -ENOENT: no such file, or its device is gone; -EBADMSG; another -errno. May wait for
 * as long as the driver behind the file does. */
int sysfs_read(const char *folder, const char *name, int64_t *value);

/* any: writes a number and the end of the line in one call, as drivers want it. */
int sysfs_write(const char *folder, const char *name, int64_t value);

/* any: a file's first line without its end; "" if it is empty. -ENAMETOOLONG beyond `room`. */
int sysfs_line(const char *folder, const char *name, char *line, size_t room);

/* A file held open for when no other can be opened any more: descriptors may run out, and a cap must be
 * written all the same. */
struct sysfs_kept {
    int read_fd, write_fd;      /* -1 = none */
};

#define SYSFS_NONE_KEPT ((struct sysfs_kept){-1, -1})

/* any: as sysfs_read, and by what is kept where no file can be opened. Each call looks at what is kept: what
 * is missing is opened, for what it can be opened for; what is not the file of that name any more (a driver
 * that was loaded anew) is let go and opened anew. */
int sysfs_kept_read(struct sysfs_kept *kept, const char *folder, const char *name, int64_t *value);

/* any: as sysfs_write on what is kept, where `error` of that was that no file can be opened; any other
 * `error` comes back as it is. */
int sysfs_kept_write(const struct sysfs_kept *kept, int error, int64_t value);

/* any: lets go of what is kept. */
void sysfs_drop(struct sysfs_kept *kept);

/* any: no file can be opened, whichever it is. */
bool sysfs_exhausted(int error);

/* any: what an error of a file of a device that was there means: -ENOENT, -ENXIO are -ENODEV, -EACCES is
 * -EPERM. */
int sysfs_error(int error);

/* setup: opens the folder of a class below the place's root (/sys where it names none), and says which. 0, or
 * -errno with the reason in `why`. */
int sysfs_class(const struct act *act, const char *class, char root[ACT_PATH_BYTES], DIR **at,
                char why[ACT_WHY_BYTES]);

/* setup: devices in the order of their identities; and no device any more, their own memory freed. */
void sysfs_order(struct act *act);
void sysfs_close(struct act *act);

#endif
