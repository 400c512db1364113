/* SPDX-License-Identifier: Apache-2.0 */
/* The receive burst on a link in memory, whose depth is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/tune_burst.h"

static void open_link(struct port *port, const struct site_port *row)
{
    struct port_config config = {.driver = "synthetic", .interface = row->interface, .mtu = row->mtu,
                                 .ring_frames = row->ring_frames, .queues = 1, .housekeeping_core = -1};
    assert_int_equal(port_open(port, &config), 0);
    assert_int_equal(port_attach(port, 0), 0);
}

static void a_ring_in_memory_keeps_what_it_holds_and_no_more(void **state)
{
    struct site_port row = {.driver = "synthetic", .interface = "burst", .mtu = 1500, .ring_frames = 256};
    struct measured_ring ring;
    struct port port;
    (void)state;
    open_link(&port, &row);
    const struct burst burst = {.port = &port, .row = &row, .sender_core = -1};
    assert_int_equal(burst_in_memory(&burst, &ring), 0);
    assert_string_equal(ring.interface, "burst");
    assert_int_equal(ring.offered, 256 + 64 + 64);
    assert_int_equal(ring.absorbed, 256);
    assert_int_equal(burst_in_memory(&burst, &ring), 0);        /* and is empty afterwards */
    assert_int_equal(ring.absorbed, 256);
    port_close(&port);
}

static void a_namespace_that_is_not_there_is_said(void **state)
{
    struct site_port row = {.driver = "synthetic", .interface = "burst", .mtu = 1500, .ring_frames = 64};
    struct measured_ring ring;
    struct port port;
    (void)state;
    open_link(&port, &row);
    const struct burst burst = {.port = &port, .row = &row, .netns = "flyball-nowhere", .sender_core = -1};
    assert_int_equal(burst_measure(&burst, &ring), -2);         /* ENOENT */
    port_close(&port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_in_memory_keeps_what_it_holds_and_no_more),
        cmocka_unit_test(a_namespace_that_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
