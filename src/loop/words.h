/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and meanings of the counters in the daemon's document, beside refusals (msg/frame.h) and the core's
 * counters (core/pipeline.h). X(group, name, meaning); a group is the path in the document with _ for its
 * dots. The manual page holds every meaning word for word.
 */
#ifndef FLYBALL_LOOP_WORDS_H
#define FLYBALL_LOOP_WORDS_H

#define LOOP_COUNTERS(X) \
    X(lanes, "frames", "frames received") \
    X(lanes, "accepted", "frames that were not refused") \
    X(lanes, "aside", "ARP and ICMP for the port itself: neither accepted nor refused") \
    X(lanes, "link_changes", "times that the port's link went down or came up") \
    X(lanes, "clock_steps", "meters whose clock went ahead and stayed there") \
    X(lanes, "sequence_restarts", "senders whose numbers began anew, lower than before") \
    X(lanes, "token_requests", "requests for power ahead of time: accepted") \
    X(lanes, "unproven", "reports that may be of before this start: taken as a new host's") \
    X(lanes, "details", "what hosts told for people, once a second each: accepted") \
    X(lanes, "unheld", "readings accepted above what the disk holds of their meter: degradation marks") \
    X(lanes, "blocks", "blocks of samples that were measured here") \
    X(lanes, "invalid_blocks", "blocks of samples left out: a channel of a phase was invalid") \
    X(lanes, "no_room", "what blocks of samples completed and found no room: ticks, half cycles, events") \
    X(lanes, "unsure", "readings of a window that was spoilt: they carry no permit") \
    X(lanes, "crossings", "of these, told between two others: a peak or a slope passed its threshold") \
    X(lanes, "repeated", "stretches of samples that were there bit by bit within the last second") \
    X(lanes, "stamped", "frames that the kernel or the card stamped as they came") \
    X(lanes, "stamps_narrow", "of these, their stamp told more of when they came than the polls do") \
    X(lanes, "stamps_unsure", "of these, not believed: the clock of stamps was set, or not known yet") \
    X(lanes, "stamps_late", "of these, not believed: behind the poll that found the frame") \
    X(lanes, "polls", "turns of the spinning loop") \
    X(lanes, "empty_polls", "turns that found no frame") \
    X(lanes_shed, "detail", "requests for power and hosts' details: accepted, but the queue was 75 % full") \
    X(lanes_shed, "reading", "readings accepted, but the lane's queue was 90 % full") \
    X(lanes_shed, "reserved", "reports accepted, but the lane's queue was full") \
    X(lanes_port, "received", "frames that the port delivered") \
    X(lanes_port, "received_bytes", "their bytes") \
    X(lanes_port, "lost", "frames that arrived and were not delivered: the port's ring was full") \
    X(lanes_port, "receive_errors", "frames that the device found damaged") \
    X(lanes_port, "sent", "frames that the port took") \
    X(lanes_port, "sent_bytes", "their bytes") \
    X(lanes_port, "refused", "frames that the port did not take") \
    X(lanes_port, "send_errors", "frames that the device failed to send") \
    X(lanes_port, "room_frames", "datagrams that may wait in a queue of the kernel's; 0: it does not say") \
    X(decide, "slots", "inputs decided on, in the one total order") \
    X(decide, "waits_for_egress", "turns in which leases waiting to leave held up the next input") \
    X(egress, "sent", "leases that left") \
    X(egress, "emergencies", "of these, sent in an emergency") \
    X(egress, "refused", "leases that the port did not take: decided on again") \
    X(egress, "unreachable", "leases for a host whose MAC is not known") \
    X(egress, "withheld", "leases not sent because of the mode") \
    X(egress, "keyless", "leases for a host that has no key in force") \
    X(budget, "misses", "inputs and leases that took longer than their budget") \
    X(budget, "emergency_misses", "of these, of an emergency") \
    X(budget, "by_gap", "of these, in time but for gaps between pieces of work") \
    X(budget, "by_network", "readings older than the budget before the port could have had them") \
    X(budget, "gaps_1ms", "times of 1 ms or more in which a hot thread did not run") \
    X(budget, "gaps_10ms", "of these, 10 ms or more") \
    X(budget, "gaps_20ms", "of these, 20 ms or more") \
    X(budget, "longest_gap_us", "the longest of them, us") \
    X(keys, "reloads", "times that the key file had changed and was taken over") \
    X(keys, "failures", "times that it could not be: the keys that were there stayed") \
    X(marks, "writes", "times that numbers of meters were reserved on the disk") \
    X(marks, "failures", "times that they could not be, or that what a start found of them was of no use") \
    X(spectra, "cycles", "cycles of raw samples whose harmonics were worked out") \
    X(spectra, "windows", "windows of 10 or 12 cycles whose spectra were") \
    X(spectra, "overtaken", "times that samples were overwritten before they were read") \
    X(spectra, "breaks", "times that a meter's cycles began anew: samples were missing, or its phase moved") \
    X(spectra, "swings", "minutes of power whose swings were worked out") \
    X(spectra, "overrun", "inputs decided on that were overwritten before swings were read from them") \
    X(spectra, "lost", "results that did not fit into their queue") \
    X(tap, "slots", "slots that reached the cold side") \
    X(tap, "dropped_detail", "spectra that did not fit into the tap") \
    X(tap, "dropped_readings", "readings that did not fit into the tap") \
    X(tap, "dropped_reserved", "reports, ticks and digests that did not fit into the tap") \
    X(journal, "bytes", "handed to the disk") \
    X(journal, "write_errors", "refused writes, each tried again") \
    X(journal, "dropped", "slots lost because the disk was behind") \
    X(watchdog, "stalls", "times that a hot thread stood still for over 100 ms") \
    X(watchdog, "longest_stall_ms", "the longest of them, ms") \
    X(door, "answered", "requests answered") \
    X(door, "refused", "requests that the door does not know")

#endif
