/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the corpus (corpus.h): meters and recordings. */
#ifndef FLYBALL_FUZZ_CORPUS_METER_H
#define FLYBALL_FUZZ_CORPUS_METER_H

#include "corpus.h"

/* Bytes of a seed in `out`, SEED_ROOM long; 0 behind the last one. */
uint32_t corpus_meter_seed(uint32_t index, uint8_t *out);
uint32_t corpus_comtrade_seed(uint32_t index, uint8_t *out);

#endif
