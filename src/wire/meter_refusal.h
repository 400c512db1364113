/* SPDX-License-Identifier: Apache-2.0 */
/* Why a packet of a meter gives no samples, phasors or readings. */
#ifndef FLYBALL_WIRE_METER_REFUSAL_H
#define FLYBALL_WIRE_METER_REFUSAL_H

/* X(symbol, name, meaning) */
#define METER_REFUSALS(X) \
    X(METER_TRUNCATED, "truncated", "shorter than its header says") \
    X(METER_OVERSIZED, "oversized", "longer than its header says") \
    X(METER_MTU, "mtu", "configured for packets that do not fit one datagram: fewer samples, channels or " \
      "ASDUs in each") \
    X(METER_MAGIC, "magic", "does not start as this protocol does") \
    X(METER_VERSION, "version", "a version of the protocol that this build does not speak") \
    X(METER_CHECKSUM, "checksum", "the checksum is wrong") \
    X(METER_MALFORMED, "malformed", "does not decode, or a value in it is impossible") \
    X(METER_SHAPE, "shape", "another number of channels, samples or PMUs than this build takes") \
    X(METER_DUPLICATE, "duplicate", "this packet was seen before") \
    X(METER_REORDERED, "reordered", "older than what was passed on already") \
    X(METER_OTHER, "other", "of another meter: its APPID, svID or ID code is not this stream's") \
    X(METER_CONFIG_UNKNOWN, "config_unknown", "data before their configuration") \
    X(METER_CONFIG_CHANGED, "config_changed", "data that the known configuration does not fit; waits for " \
      "a new one") \
    X(METER_CONFIG_PARTS, "config_parts", "a configuration in several frames, with one missing or too long")

#define METER_REFUSAL_SYMBOL(symbol, name, meaning) symbol,
enum meter_refusal {
    METER_ACCEPTED = 0,
    METER_REFUSALS(METER_REFUSAL_SYMBOL)
    METER_REFUSAL_COUNT
};
#undef METER_REFUSAL_SYMBOL

/* any: "truncated", ... and its meaning; for status, metrics and man pages. */
const char *meter_refusal_name(int refusal);
const char *meter_refusal_meaning(int refusal);

#endif
