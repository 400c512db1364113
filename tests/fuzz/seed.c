/* SPDX-License-Identifier: Apache-2.0 */
/* seed FOLDER: writes every corpus to FOLDER/NAME/seed-N, for libFuzzer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus.h"

static int save(const char *path, const uint8_t *data, uint32_t bytes)
{
    FILE *file = fopen(path, "wb");

    if (!file)
        return -errno;
    size_t written = fwrite(data, 1, bytes, file);

    return fclose(file) || written != bytes ? -EIO : 0;
}

static int save_corpus(const char *folder, enum corpus corpus)
{
    uint8_t seed[SEED_ROOM];
    char path[512];
    uint32_t bytes;

    snprintf(path, sizeof path, "%s/%s", folder, corpus_name(corpus));
    if (mkdir(path, 0777) && errno != EEXIST)
        return -errno;
    for (uint32_t i = 0; (bytes = corpus_seed(corpus, i, seed)); i++) {
        snprintf(path, sizeof path, "%s/%s/seed-%u", folder, corpus_name(corpus), i);

        int error = save(path, seed, bytes);

        if (error)
            return error;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seed FOLDER\n");
        return 2;
    }
    if (mkdir(argv[1], 0777) && errno != EEXIST) {
        perror(argv[1]);
        return 1;
    }
    for (enum corpus corpus = 0; corpus < CORPUS_COUNT; corpus++) {
        int error = save_corpus(argv[1], corpus);

        if (error) {
            fprintf(stderr, "%s/%s: %s\n", argv[1], corpus_name(corpus), strerror(-error));
            return 1;
        }
    }
    return 0;
}
