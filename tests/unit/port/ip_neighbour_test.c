/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a port asks and when, whose answers it believes, and how it stands up for its own address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "ip_rig.h"

#define GATEWAY UINT32_C(0xC63364FE)    /* 198.51.100.254 */
#define FAR     UINT32_C(0xCB00710B)    /* 203.0.113.11: behind it */
#define VICTIM  UINT32_C(0xC6336409)

static struct ip_rig rig;

static int make_rig(void **state)
{
    ip_rig_open(&rig, 0, 0);
    ip_rig_turn(&rig, IP_ANNOUNCE_EVERY_NS);    /* the last announcement of the start */
    ip_rig_forget(&rig);
    *state = &rig;
    return 0;
}

static int make_routed_rig(void **state)
{
    ip_rig_open(&rig, 0, GATEWAY);
    *state = &rig;
    return 0;
}

static int drop_rig(void **state)
{
    (void)state;
    ip_rig_close(&rig);
    return 0;
}

static bool found(uint32_t ipv4)
{
    uint8_t mac[6];
    return ip_find_mac(&rig.ip, ipv4, mac);
}

static bool found_at(uint32_t ipv4, const uint8_t at[6])
{
    uint8_t mac[6];
    return ip_find_mac(&rig.ip, ipv4, mac) && !memcmp(mac, at, 6);
}

static void reply(uint32_t sender, const uint8_t mac[6])
{
    ip_rig_arp(&rig, &(struct ip_rig_arp){ARP_REPLY, mac, ip_rig_mac, sender, IP_RIG_OWN});
}

static void request(uint32_t sender, const uint8_t mac[6], uint32_t target)
{
    ip_rig_arp(&rig, &(struct ip_rig_arp){ARP_REQUEST, mac, ip_rig_everybody, sender, target});
}

/* A host that nobody has heard of: asked for, answered, found. */
static void a_host_is_asked_for_when_it_is_wanted_and_found_when_it_answers(void **state)
{
    (void)state;
    assert_false(found(IP_RIG_PEER));
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 1);
    struct arp asked = ip_rig_sent_arp(&rig, 0);
    assert_int_equal(asked.operation, ARP_REQUEST);
    assert_int_equal(asked.sender_ipv4, IP_RIG_OWN);
    assert_int_equal(asked.target_ipv4, IP_RIG_PEER);
    assert_memory_equal(rig.data[0], ip_rig_everybody, 6);
    assert_memory_equal(asked.sender_mac, ip_rig_mac, 6);
    reply(IP_RIG_PEER, ip_rig_peer_mac);
    assert_true(found_at(IP_RIG_PEER, ip_rig_peer_mac));
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_ASKED), 1);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_LEARNED), 1);
}

static void silence_doubles_the_wait_from_a_second_to_sixty(void **state)
{
    (void)state;
    static const int64_t due_s[] = {0, 1, 3, 7, 15, 31, 63, 123, 183, 243};
    uint32_t asked = 0;
    for (int64_t ms = 0; ms <= 250 * 1000; ms += 100) {
        found(IP_RIG_PEER);                         /* somebody goes on wanting it */
        ip_rig_turn(&rig, ms ? 100 * NS_PER_MS : 0);
        if (rig.sent == asked)
            continue;
        assert_int_equal(rig.sent, ++asked);
        assert_true(asked <= sizeof due_s / sizeof due_s[0]);
        assert_int_equal(ms, due_s[asked - 1] * 1000);
    }
    assert_int_equal(asked, sizeof due_s / sizeof due_s[0]);
}

static void nobody_asks_for_a_host_that_nobody_wants_any_more(void **state)
{
    (void)state;
    found(IP_RIG_PEER);
    for (int s = 0; s < 600; s++)
        ip_rig_turn(&rig, NS_PER_S);
    assert_int_equal(rig.sent, 6);              /* at 0, 1, 3, 7, 15 and 31 s; at 63 s it is too long ago */
    found(IP_RIG_PEER);
    ip_rig_forget(&rig);
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 1);
}

static void a_known_host_is_confirmed_every_30_s_at_its_own_mac_and_forgotten_after_three(void **state)
{
    (void)state;
    found(IP_RIG_PEER);
    ip_rig_turn(&rig, 0);
    reply(IP_RIG_PEER, ip_rig_peer_mac);
    ip_rig_forget(&rig);
    ip_rig_turn(&rig, 30 * NS_PER_S - 1);
    assert_int_equal(rig.sent, 0);
    assert_true(found(IP_RIG_PEER));
    ip_rig_turn(&rig, 1);
    assert_int_equal(rig.sent, 1);
    assert_memory_equal(rig.data[0], ip_rig_peer_mac, 6);
    reply(IP_RIG_PEER, ip_rig_peer_mac);
    assert_true(found(IP_RIG_PEER));
    ip_rig_turn(&rig, 30 * NS_PER_S);       /* 1st unanswered */
    assert_true(found(IP_RIG_PEER));
    ip_rig_turn(&rig, NS_PER_S);            /* 2nd */
    ip_rig_turn(&rig, 2 * NS_PER_S);        /* 3rd */
    assert_true(found(IP_RIG_PEER));
    ip_rig_turn(&rig, 4 * NS_PER_S);
    assert_false(found(IP_RIG_PEER));
    ip_rig_forget(&rig);
    ip_rig_turn(&rig, 8 * NS_PER_S);
    assert_memory_equal(rig.data[0], ip_rig_everybody, 6);
}

/* Asked for again after a while in which nobody sent there, it gets its three unanswered requests anew. */
static void a_known_host_that_was_idle_is_asked_at_once_and_not_forgotten_sooner(void **state)
{
    (void)state;
    found(IP_RIG_PEER);
    ip_rig_turn(&rig, 0);
    reply(IP_RIG_PEER, ip_rig_peer_mac);
    ip_rig_turn(&rig, 100 * NS_PER_S);
    assert_true(found(IP_RIG_PEER));
    ip_rig_forget(&rig);
    ip_rig_turn(&rig, 0);                   /* 1st unanswered */
    assert_int_equal(rig.sent, 1);
    ip_rig_turn(&rig, NS_PER_S);            /* 2nd */
    ip_rig_turn(&rig, 2 * NS_PER_S);        /* 3rd */
    assert_int_equal(rig.sent, 3);
    assert_true(found(IP_RIG_PEER));
    ip_rig_turn(&rig, 4 * NS_PER_S);
    assert_false(found(IP_RIG_PEER));
}

/* ---- whom we believe ---- */

static void nobody_can_teach_an_address_that_was_not_wanted(void **state)
{
    (void)state;
    reply(VICTIM, ip_rig_other_mac);
    request(VICTIM, ip_rig_other_mac, IP_RIG_OWN);
    request(VICTIM, ip_rig_other_mac, VICTIM);
    assert_int_equal(rig.ip.neighbours.count, 0);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_LEARNED), 0);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_IGNORED), 2);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_ANSWERED), 1);  /* whoever asks for us is told */
    assert_false(found(VICTIM));
}

static void a_reply_counts_once_for_each_request_and_only_to_our_own_mac(void **state)
{
    (void)state;
    found(IP_RIG_PEER);
    ip_rig_turn(&rig, 0);
    ip_rig_arp(&rig, &(struct ip_rig_arp){ARP_REPLY, ip_rig_other_mac, ip_rig_everybody, IP_RIG_PEER,
                                          IP_RIG_OWN});
    assert_false(found(IP_RIG_PEER));
    reply(IP_RIG_PEER, ip_rig_peer_mac);
    reply(IP_RIG_PEER, ip_rig_other_mac);       /* nothing of ours is unanswered any more */
    assert_true(found_at(IP_RIG_PEER, ip_rig_peer_mac));
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_IGNORED), 2);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_MOVED), 0);
}

static void a_request_for_us_and_an_announcement_move_a_host_that_is_wanted(void **state)
{
    (void)state;
    found(IP_RIG_PEER);
    request(IP_RIG_PEER, ip_rig_peer_mac, IP_RIG_OWN);
    assert_true(found_at(IP_RIG_PEER, ip_rig_peer_mac));
    request(IP_RIG_PEER, ip_rig_other_mac, IP_RIG_PEER);
    assert_true(found_at(IP_RIG_PEER, ip_rig_other_mac));
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_MOVED), 1);
    ip_rig_forget(&rig);
    request(IP_RIG_PEER, ip_rig_peer_mac, VICTIM);  /* about somebody else: not even set aside */
    assert_true(found_at(IP_RIG_PEER, ip_rig_other_mac));
    assert_int_equal(rig.sent, 0);
}

static void the_table_takes_as_many_as_there_are_hosts_and_a_gateway(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= IP_RIG_NEIGHBOURS + 10; i++)
        assert_false(found(IP_RIG_OWN + 1 + i));
    assert_int_equal(rig.ip.neighbours.count, IP_RIG_NEIGHBOURS + 1);
    for (uint32_t i = 0; i <= IP_RIG_NEIGHBOURS; i++) {
        struct neighbour *neighbour = neighbours_find(&rig.ip.neighbours, IP_RIG_OWN + 1 + i);
        assert_non_null(neighbour);
        assert_int_equal(neighbour->ipv4, IP_RIG_OWN + 1 + i);
    }
    assert_null(neighbours_find(&rig.ip.neighbours, IP_RIG_OWN + 2 + IP_RIG_NEIGHBOURS));
}

static void requests_leave_four_a_turn_32_at_once_and_a_thousand_a_second(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 60; i++)
        found(IP_RIG_OWN + 1 + i);
    assert_int_equal(ip_turn(&rig.ip, rig.t_ns), 4);
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 32);
    ip_rig_turn(&rig, NS_PER_MS);
    assert_int_equal(rig.sent, 33);
    ip_rig_turn(&rig, 10 * NS_PER_MS);
    assert_int_equal(rig.sent, 43);
    ip_rig_turn(&rig, 100 * NS_PER_MS);
    assert_int_equal(rig.sent, 60);
    for (uint32_t i = 0; i < 60; i++)           /* each was asked for once */
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(ip_rig_sent_arp(&rig, i).target_ipv4, ip_rig_sent_arp(&rig, j).target_ipv4);
}

/* ---- the gateway ---- */

static void the_gateway_is_asked_for_at_the_start_and_leads_to_what_is_not_on_the_link(void **state)
{
    (void)state;
    assert_int_equal(rig.sent, 3);
    assert_int_equal(ip_rig_sent_arp(&rig, 2).target_ipv4, GATEWAY);
    ip_rig_forget(&rig);
    assert_false(found(FAR));
    reply(GATEWAY, ip_rig_other_mac);
    assert_true(found_at(FAR, ip_rig_other_mac));
    assert_true(found_at(FAR + 1000, ip_rig_other_mac));
    assert_true(found_at(IP_RIG_OWN ^ 1 << 8, ip_rig_other_mac));   /* differs in the prefix's last bit */
    assert_false(found(IP_RIG_PEER));           /* on the link: asked for itself */
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 1);
    assert_int_equal(ip_rig_sent_arp(&rig, 0).target_ipv4, IP_RIG_PEER);
    assert_int_equal(rig.ip.neighbours.count, 2);
    ip_rig_turn(&rig, 10 * NS_PER_S);
    for (int s = 0; s < 300; s++) {             /* unused, and kept all the same */
        ip_rig_turn(&rig, NS_PER_S);
        reply(GATEWAY, ip_rig_other_mac);
    }
    assert_true(found_at(FAR, ip_rig_other_mac));
}

static void without_a_gateway_what_is_not_on_the_link_is_not_found_nor_asked_for(void **state)
{
    (void)state;
    assert_false(found(FAR));
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 0);
    rig.ip.config.prefix = 0;                   /* everything is on the link */
    assert_false(found(FAR));
    ip_rig_turn(&rig, 0);
    assert_int_equal(ip_rig_sent_arp(&rig, 0).target_ipv4, FAR);
}

/* ---- our own address ---- */

static void the_address_is_probed_and_announced_at_the_start_and_again_after_2_s(void **state)
{
    (void)state;
    assert_int_equal(rig.sent, 3);              /* the gateway's request is the third */
    struct arp probe = ip_rig_sent_arp(&rig, 0), announcement = ip_rig_sent_arp(&rig, 1);
    assert_true(probe.operation == ARP_REQUEST && announcement.operation == ARP_REQUEST);
    assert_true(probe.sender_ipv4 == 0 && probe.target_ipv4 == IP_RIG_OWN);
    assert_true(announcement.sender_ipv4 == IP_RIG_OWN && announcement.target_ipv4 == IP_RIG_OWN);
    assert_memory_equal(rig.data[0], ip_rig_everybody, 6);
    assert_memory_equal(rig.data[1], ip_rig_everybody, 6);
    reply(GATEWAY, ip_rig_other_mac);
    ip_rig_forget(&rig);
    ip_rig_turn(&rig, 2 * NS_PER_S - 1);
    assert_int_equal(rig.sent, 0);
    ip_rig_turn(&rig, 1);
    assert_int_equal(rig.sent, 1);
    assert_int_equal(ip_rig_sent_arp(&rig, 0).sender_ipv4, IP_RIG_OWN);
    ip_rig_turn(&rig, 10 * NS_PER_S);
    assert_int_equal(rig.sent, 1);
    assert_int_equal(ip_counted(&rig.ip, IP_ANNOUNCED), 3);
}

static void a_link_that_comes_back_is_announced_on_and_asked_over_anew(void **state)
{
    (void)state;
    found(IP_RIG_PEER);
    for (int s = 0; s < 40; s++) {
        found(IP_RIG_PEER);
        ip_rig_turn(&rig, NS_PER_S);            /* the waits have grown to 32 s */
    }
    ip_rig_forget(&rig);
    rig.link = 2;
    for (int s = 0; s < 20; s++)
        ip_rig_turn(&rig, NS_PER_S);
    assert_int_equal(rig.sent, 0);              /* down: nothing is said */
    rig.link = 5;
    ip_rig_turn(&rig, 0);
    assert_int_equal(rig.sent, 4);              /* probe, announcement, gateway, host */
    assert_int_equal(ip_rig_sent_arp(&rig, 2).target_ipv4 ^ ip_rig_sent_arp(&rig, 3).target_ipv4,
                     GATEWAY ^ IP_RIG_PEER);
    ip_rig_turn(&rig, NS_PER_S);
    assert_int_equal(rig.sent, 6);              /* the waits start at a second again */
}

static void a_claim_to_our_address_is_shown_and_defended_once_in_ten_seconds(void **state)
{
    (void)state;
    uint8_t mac[6];
    ip_rig_turn(&rig, 5 * NS_PER_S);
    ip_rig_forget(&rig);
    assert_false(ip_conflict(&rig.ip, rig.t_ns, mac));
    request(IP_RIG_OWN, ip_rig_other_mac, IP_RIG_OWN);
    assert_int_equal(rig.sent, 1);
    assert_int_equal(ip_rig_sent_arp(&rig, 0).sender_ipv4, IP_RIG_OWN);
    assert_int_equal(ip_rig_sent_arp(&rig, 0).target_ipv4, IP_RIG_OWN);
    for (int s = 1; s <= 9; s++) {
        ip_rig_turn(&rig, NS_PER_S);
        reply(IP_RIG_OWN, ip_rig_other_mac);
        request(IP_RIG_OWN, ip_rig_other_mac, VICTIM);
    }
    assert_int_equal(rig.sent, 1);
    assert_int_equal(ip_counted(&rig.ip, IP_ADDRESS_CONFLICTS), 19);
    ip_rig_turn(&rig, NS_PER_S);
    reply(IP_RIG_OWN, ip_rig_other_mac);
    assert_int_equal(rig.sent, 2);
    assert_true(ip_conflict(&rig.ip, rig.t_ns + 60 * NS_PER_S, mac));
    assert_memory_equal(mac, ip_rig_other_mac, 6);
    assert_false(ip_conflict(&rig.ip, rig.t_ns + 60 * NS_PER_S + 1, mac));
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_LEARNED), 0);
    assert_int_equal(ip_counted(&rig.ip, IP_ARP_ANSWERED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define RIG(name) cmocka_unit_test_setup_teardown(name, make_rig, drop_rig)
#define ROUTED_RIG(name) cmocka_unit_test_setup_teardown(name, make_routed_rig, drop_rig)
        RIG(a_host_is_asked_for_when_it_is_wanted_and_found_when_it_answers),
        RIG(silence_doubles_the_wait_from_a_second_to_sixty),
        RIG(nobody_asks_for_a_host_that_nobody_wants_any_more),
        RIG(a_known_host_is_confirmed_every_30_s_at_its_own_mac_and_forgotten_after_three),
        RIG(a_known_host_that_was_idle_is_asked_at_once_and_not_forgotten_sooner),
        RIG(nobody_can_teach_an_address_that_was_not_wanted),
        RIG(a_reply_counts_once_for_each_request_and_only_to_our_own_mac),
        RIG(a_request_for_us_and_an_announcement_move_a_host_that_is_wanted),
        RIG(the_table_takes_as_many_as_there_are_hosts_and_a_gateway),
        RIG(requests_leave_four_a_turn_32_at_once_and_a_thousand_a_second),
        ROUTED_RIG(the_gateway_is_asked_for_at_the_start_and_leads_to_what_is_not_on_the_link),
        RIG(without_a_gateway_what_is_not_on_the_link_is_not_found_nor_asked_for),
        ROUTED_RIG(the_address_is_probed_and_announced_at_the_start_and_again_after_2_s),
        ROUTED_RIG(a_link_that_comes_back_is_announced_on_and_asked_over_anew),
        RIG(a_claim_to_our_address_is_shown_and_defended_once_in_ten_seconds),
    };
    return cmocka_run_group_tests_name("whom a port asks and believes", tests, NULL, NULL);
}
