/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv_tool emit: a line of words makes a frame, printed in hex: tag (or "-"), APPID, svID, confRev, rate,
 * smpSynch, 1 if the rate is sent, 1 if simulated, channels, smpCnt, then each sample's values in V and A.
 * sv_tool read: a frame in hex makes a line of what sv_decode finds, in the order in which tshark prints it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/sv.h"

enum { LINE_BYTES = 8192 };

static const char *next_word(char **line)
{
    const char *word = strtok_r(NULL, " \n", line);

    if (!word) {
        fprintf(stderr, "sv_tool: a word is missing\n");
        exit(2);
    }
    return word;
}

static uint32_t next_number(char **line)
{
    return (uint32_t)strtoul(next_word(line), NULL, 0);
}

static void emit(char *line)
{
    struct sv_publisher publisher = {.to = {0x01, 0x0c, 0xcd, 0x04, 0x00, 0x01},
                                     .from = {0x02, 0, 0, 0, 0, 1}};
    struct samples block = {0};
    uint8_t data[SV_FRAME_MAX];
    char *rest;
    const char *tag = strtok_r(line, " \n", &rest), *word;

    publisher.tagged = strcmp(tag, "-") != 0;
    publisher.tag = (uint16_t)strtoul(tag, NULL, 0);
    publisher.appid = (uint16_t)next_number(&rest);
    publisher.id = next_word(&rest);
    publisher.conf_rev = next_number(&rest);
    publisher.rate_hz = next_number(&rest);
    publisher.synch = (uint8_t)next_number(&rest);
    publisher.with_rate = next_number(&rest);
    publisher.simulated = next_number(&rest);
    block.channels = (uint8_t)next_number(&rest);
    uint32_t smp_cnt = next_number(&rest), values = 0;
    for (; (word = strtok_r(NULL, " \n", &rest)); values++)
        block.value[values % block.channels][values / block.channels] = strtof(word, NULL);
    block.count = (uint16_t)(values / block.channels);
    uint32_t bytes = sv_encode(&publisher, &block, smp_cnt, data, sizeof data);
    for (uint32_t i = 0; i < bytes; i++)
        printf("%02x", data[i]);
    printf("\n");
}

static void print_asdu(const struct sv_asdu *asdu)
{
    printf(" | %.*s %u %u %u %u %u", (int)asdu->id_bytes, (const char *)asdu->id, asdu->smp_cnt,
           asdu->conf_rev, asdu->synch, asdu->smp_rate, asdu->smp_mod);
    for (uint32_t i = 0; i < SV_VALUES; i++) {
        uint32_t quality;
        int32_t value = sv_value(asdu, i, &quality);

        printf(" %d/%u", value, quality);
    }
}

static void read_frame(const char *hex)
{
    uint8_t data[SV_FRAME_MAX];
    struct sv_frame frame;
    uint32_t bytes = 0;

    for (; hex[0] > ' ' && hex[1] > ' ' && bytes < sizeof data; hex += 2) {
        char pair[3] = {hex[0], hex[1], 0};
        data[bytes++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    int refusal = sv_decode(data, bytes, &frame);
    if (refusal) {
        printf("%s\n", meter_refusal_name(refusal));
        return;
    }
    printf("%u %u %u", frame.appid, frame.simulated, frame.asdus);
    for (uint32_t i = 0; i < frame.asdus; i++)
        print_asdu(&frame.asdu[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    char line[LINE_BYTES];

    if (argc != 2 || (strcmp(argv[1], "emit") != 0 && strcmp(argv[1], "read") != 0)) {
        fprintf(stderr, "usage: sv_tool emit|read\n");
        return 2;
    }
    while (fgets(line, sizeof line, stdin))
        argv[1][0] == 'e' ? emit(line) : read_frame(line);
    return 0;
}
