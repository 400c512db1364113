/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a row of the site file says reaches the port, and a port that cannot be is refused by
 * name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loop/port_row.h"

enum { OWN = (int)0xC6120001, MTU = 1500 };    /* 198.18.0.1: no kernel has it */

static struct site_server server_of(const char *driver, const char *interface, uint32_t ipv4)
{
    struct site_server server = {.port_count = 2, .housekeeping_core = -1};
    struct site_port *row = &server.port[1];
    *row = (struct site_port){.own = {.ipv4 = ipv4, .port = 7001}, .mtu = MTU, .ring_frames = 64,
                              .queues = 2};
    strcpy(row->driver, driver);
    strcpy(row->interface, interface);
    return server;
}

static void assert_refused(const struct site_server *server, int error, const char *words)
{
    struct port port;
    char why[256] = "";
    assert_int_equal(port_row_open(&port, server, 1, 1, why, sizeof why), error);
    if (!strstr(why, words))
        fail_msg("\"%s\" is not in \"%s\"", words, why);
}

static void a_row_opens_with_its_queues_and_its_end(void **state)
{
    (void)state;
    struct site_server server = server_of("synthetic", "row", (uint32_t)OWN);
    struct port port;
    char why[256] = "";
    server.port[1].vlan = 30;
    assert_int_equal(port_row_open(&port, &server, 1, 2, why, sizeof why), 0);
    assert_int_equal(port.mtu, MTU);
    assert_int_equal(port_attach(&port, 1), 0);
    assert_int_equal(port_attach(&port, 2), -EINVAL);
    struct endpoint own = port_row_end(&port, &server.port[1]);
    assert_int_equal(own.ipv4, (uint32_t)OWN);
    assert_int_equal(own.port, 7001);
    assert_int_equal(own.vlan, 30);
    assert_memory_equal(own.mac, port.mac, 6);
    port_close(&port);
    server.port[1].own.has_mac = true;      /* not the device's: all zeros */
    assert_refused(&server, -ENODEV, "port synthetic row: row: its MAC address is");
}

static void an_address_of_the_kernel_is_refused_by_name(void **state)
{
    (void)state;
    const struct site_server frames = server_of("synthetic", "row", 0x7F000001),
                             datagrams = server_of("uring", "lo", (uint32_t)OWN);
    assert_refused(&frames, -EINVAL, "port synthetic row: 127.0.0.1 is also the kernel's, on lo");
    assert_refused(&datagrams, -EINVAL, "port uring lo: no interface of this machine has the address");
}

static void sockets_of_the_kernel_take_no_tag(void **state)
{
    (void)state;
    struct site_server server = server_of("uring", "lo", 0x7F000001);
    server.port[1].vlan = 30;
    assert_refused(&server, -EINVAL, "port uring lo: uring on lo: tags are the kernel's business");
}

static void a_driver_that_is_misspelt_is_an_error_of_the_site_file(void **state)
{
    (void)state;
    const struct site_server server = server_of("af_paket", "lo", (uint32_t)OWN);
    assert_refused(&server, -EINVAL, "port af_paket lo: this build has no port driver named \"af_paket\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_driver_that_is_misspelt_is_an_error_of_the_site_file),
        cmocka_unit_test(a_row_opens_with_its_queues_and_its_end),
        cmocka_unit_test(an_address_of_the_kernel_is_refused_by_name),
        cmocka_unit_test(sockets_of_the_kernel_take_no_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
