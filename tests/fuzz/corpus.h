/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds: what each target is started from. Made by the encoders and from short lists of bytes, never stored
 * as files. */
#ifndef FLYBALL_FUZZ_CORPUS_H
#define FLYBALL_FUZZ_CORPUS_H

#include <stdint.h>

enum { SEED_ROOM = 1 << 14 };

enum corpus { CORPUS_UPMU, CORPUS_CAP, CORPUS_FRAME, CORPUS_CSV, CORPUS_IP, CORPUS_LANE, CORPUS_AGENT,
              CORPUS_METER, CORPUS_COMTRADE, CORPUS_WHEN, CORPUS_PTP,
              CORPUS_COUNT };

/* Bytes of seed number `index` of a corpus, written to `out` (SEED_ROOM bytes); 0 behind the last one. */
uint32_t corpus_seed(enum corpus corpus, uint32_t index, uint8_t *out);

/* "upmu", "cap", "frame", "csv", "ip", "lane", "agent", "meter", "comtrade",
 * "when", "ptp". */
const char *corpus_name(enum corpus corpus);

#endif
