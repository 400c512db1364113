/* SPDX-License-Identifier: Apache-2.0 */
/* Which PCI devices a port takes, and the words for those it does not, against a folder like the kernel's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "port/hugepages.h"
#include "port/pci_device.h"

static char root[] = "/tmp/flyball-pci-XXXXXX";

static const struct {
    const char *address, *driver;       /* NULL: bound to nothing */
} planted[] = {
    {"0000:00:03.0", "uio_pci_generic"}, {"0000:00:04.0", "e1000e"}, {"0000:5e:00.1", "vfio-pci"},
    {"10ab:00:1f.7", NULL}, {"0000:00:05.0", "a_driver_whose_name_is_longer_than_any_of_ours"},
};

static int plant(void **state)
{
    char path[128], target[128];
    (void)state;
    if (!mkdtemp(root))
        return -1;
    snprintf(path, sizeof path, "%s/devices", root);
    int rc = mkdir(path, 0700);
    for (size_t i = 0; i < sizeof planted / sizeof planted[0] && !rc; i++) {
        snprintf(path, sizeof path, "%s/devices/%s", root, planted[i].address);
        rc = mkdir(path, 0700);
        if (!planted[i].driver)
            continue;
        snprintf(path, sizeof path, "%s/devices/%s/driver", root, planted[i].address);
        snprintf(target, sizeof target, "../../../../bus/pci/drivers/%s", planted[i].driver);
        rc |= symlink(target, path);
    }
    return rc;
}

static int clear_away(void **state)
{
    char line[64];
    (void)state;
    snprintf(line, sizeof line, "rm -r %s", root);
    return system(line);
}

static void a_device_that_userspace_has_is_taken(void **state)
{
    struct port port = {0};
    struct pci_device device;
    (void)state;
    assert_int_equal(pci_device_look(&port, root, "0000:00:03.0", &device), 0);
    assert_string_equal(device.address, "0000:00:03.0");
    assert_string_equal(device.driver, "uio_pci_generic");
    assert_true(device.physical);
    assert_int_equal(pci_device_look(&port, root, "0000:5e:00.1", &device), 0);
    assert_string_equal(device.driver, "vfio-pci");
    assert_false(device.physical);
    assert_string_equal(port.error, "");
}

static void a_device_that_somebody_else_has_is_refused_with_the_command(void **state)
{
    struct port port = {0};
    struct pci_device device;
    (void)state;
    assert_int_equal(pci_device_look(&port, root, "0000:00:04.0", &device), -EBUSY);
    assert_string_equal(port.error, "0000:00:04.0: the kernel's driver e1000e has this device; `driverctl "
                        "set-override 0000:00:04.0 vfio-pci` gives it to userspace");
    assert_int_equal(pci_device_look(&port, root, "10ab:00:1f.7", &device), -EBUSY);
    assert_string_equal(port.error, "10ab:00:1f.7: no driver has this device; `driverctl set-override "
                        "10ab:00:1f.7 vfio-pci` gives it to userspace");
    assert_int_equal(pci_device_look(&port, root, "0000:00:05.0", &device), -EBUSY);
    assert_string_equal(device.driver, "a_driver_whose_name_is_longer_t");
}

static void a_device_that_is_absent_is_refused(void **state)
{
    struct port port = {0};
    struct pci_device device;
    (void)state;
    assert_int_equal(pci_device_look(&port, root, "0000:00:06.0", &device), -ENODEV);
    assert_string_equal(port.error, "0000:00:06.0: this machine has no such PCI device");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const wrong[] = {
        "", "0", "00:03.0", "0000:00:03", "0000:00:03.", "0000:00:03.8", "0000:00:03.00", "0000:00:0g.0",
        "0000.00:03.0", "0000:5E:00.1", "../00:00:03.0", "eth0", "0000:00:03.0,x=1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct port port = {0};
        struct pci_device device;
        char words[96];
        snprintf(words, sizeof words, "%s: not a PCI address, write one like 0000:00:03.0", wrong[i]);
        assert_int_equal(pci_device_look(&port, root, wrong[i], &device), -EINVAL);
        assert_string_equal(port.error, words);
    }
}

static void write_free(const char *size, const char *pages)
{
    char path[128];
    snprintf(path, sizeof path, "%s/pages/%s", root, size);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/pages/%s/free_hugepages", root, size);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(pages, file);
    fclose(file);
}

static void free_huge_pages_of_every_size_add_up(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/pages", root);
    assert_int_equal(hugepages_free_mib(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(hugepages_free_mib(path), 0);
    write_free("hugepages-2048kB", "3\n");
    assert_int_equal(hugepages_free_mib(path), 6);
    write_free("hugepages-1048576kB", "2\n");
    assert_int_equal(hugepages_free_mib(path), 2054);
    write_free("hugepages-64kB", "none\n");
    write_free("demote", "77\n");
    assert_int_equal(hugepages_free_mib(path), 2054);
}

/* The whole way through the table; needs no device. */
static void the_port_says_the_same(void **state)
{
    struct port port;
    const struct port_config config = {.driver = "pci", .interface = "ffff:ff:1f.7", .mtu = 1500,
                                       .ring_frames = 1024, .queues = 1, .memory_mib = 64,
                                       .housekeeping_core = -1};
    (void)state;
    assert_int_equal(port_open(&port, &config), -ENODEV);
    assert_string_equal(port.error, "ffff:ff:1f.7: this machine has no such PCI device");
    assert_null(port.driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_userspace_has_is_taken),
        cmocka_unit_test(a_device_that_somebody_else_has_is_refused_with_the_command),
        cmocka_unit_test(a_device_that_is_absent_is_refused),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(free_huge_pages_of_every_size_add_up),
        cmocka_unit_test(the_port_says_the_same),
    };
    return cmocka_run_group_tests(tests, plant, clear_away);
}
