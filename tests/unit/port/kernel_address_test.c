/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel owns an address or flyball does, and whoever is refused is told by name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "port/kernel_address.h"
#include "port/kernel_sockets.h"

#define LOOPBACK  UINT32_C(0x7F000001)
#define NOBODYS   UINT32_C(0xC612FEFD)      /* 198.18.254.253 */

static void the_loopback_address_is_the_kernels_and_a_strange_one_is_not(void **state)
{
    (void)state;
    char interface[IF_NAMESIZE] = "";
    assert_int_equal(kernel_owns_address(LOOPBACK, interface), 1);
    assert_string_equal(interface, "lo");
    assert_int_equal(kernel_owns_address(LOOPBACK + 5, interface), 1);
    assert_int_equal(kernel_owns_address(NOBODYS, interface), 0);
}

static void a_port_of_frames_is_refused_what_the_kernel_owns(void **state)
{
    (void)state;
    char words[256] = "";
    for (const struct port_driver *const *driver = port_table; *driver; driver++) {
        const char *name = (*driver)->name;
        bool frames = (*driver)->kind == PORT_FRAMES;
        assert_int_equal(kernel_address_check(name, "fb-x", LOOPBACK, words, sizeof words),
                         frames ? -EADDRINUSE : 0);
        if (frames) {
            assert_non_null(strstr(words, name));
            assert_non_null(strstr(words, "fb-x: 127.0.0.1 is also the kernel's, on lo: take it away there "
                                          "(ip address del 127.0.0.1 dev lo) or give flyball another"));
        }
        assert_int_equal(kernel_address_check(name, "fb-x", NOBODYS, words, sizeof words),
                         frames ? 0 : -EADDRNOTAVAIL);
        if (!frames)
            assert_non_null(strstr(words, "no interface of this machine has the address 198.18.254.253"));
    }
    assert_int_equal(kernel_address_check("no-such", "fb-x", LOOPBACK, words, sizeof words), 0);
}

static void a_running_interface_has_a_carrier_and_a_missing_one_is_down(void **state)
{
    (void)state;
    assert_int_equal(kernel_interface_link("fb-is-not-here"), 0);
    assert_true(kernel_interface_link("lo") >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loopback_address_is_the_kernels_and_a_strange_one_is_not),
        cmocka_unit_test(a_port_of_frames_is_refused_what_the_kernel_owns),
        cmocka_unit_test(a_running_interface_has_a_carrier_and_a_missing_one_is_down),
    };
    return cmocka_run_group_tests_name("kernel addresses", tests, NULL, NULL);
}
