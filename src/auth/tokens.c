/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/keys.h"
#include "auth/secret_file.h"

enum { LINE_BYTES = 256, FIRST_ROWS = 64 };
static const char after[] = "not-after=";
static const char *const state_words[] = {"", "taken", "used"};

void tokens_hex(const uint8_t *data, size_t bytes, char *text)
{
    for (size_t i = 0; i < bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", data[i]);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool tokens_unhex(const char *text, uint8_t *data, size_t bytes)
{
    bool good = strlen(text) == 2 * bytes;
    for (size_t i = 0; i < bytes && good; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        data[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    return good;
}

/* "used=513-0011223344556677", or "used" as it was written once. */
static bool read_state(const char *word, struct tokens_row *row)
{
    char *end;
    for (uint8_t state = TOKEN_TAKEN; state <= TOKEN_USED; state++) {
        size_t length = strlen(state_words[state]);
        if (strncmp(word, state_words[state], length) != 0)
            continue;
        row->state = state;
        if (!word[length])
            return state == TOKEN_USED;
        unsigned long id = strtoul(word + length + 1, &end, 10);
        row->key_id = (uint16_t)id;
        return word[length] == '=' && id && id <= UINT16_MAX && *end == '-' &&
               tokens_unhex(end + 1, row->proof, sizeof row->proof);
    }
    return false;
}

static bool read_row(char *line, struct tokens_row *row)
{
    char *rest = NULL, *word[6] = {NULL};
    for (int i = 0; i < 6 && (i == 0 || word[i - 1]); i++)
        word[i] = strtok_r(i ? NULL : line, " \n", &rest);
    if (!word[3] || word[5] || strlen(word[0]) >= sizeof row->name ||
        strncmp(word[3], after, sizeof after - 1) != 0)
        return false;
    memcpy(row->name, word[0], strlen(word[0]) + 1);
    return (!word[4] || read_state(word[4], row)) &&
           tokens_unhex(word[1], row->stored.id, sizeof row->stored.id) &&
           tokens_unhex(word[2], row->stored.point, sizeof row->stored.point) &&
           auth_time_read(word[3] + sizeof after - 1, &row->not_after_s);
}

/* One more row, of zeros. Not realloc: it would leave stored halves behind where they stood. */
static int grow(struct tokens *tokens)
{
    if (tokens->count == TOKENS_MAX)
        return -E2BIG;
    if (tokens->count == tokens->room) {
        uint32_t count = tokens->count, room = tokens->room ? 2 * tokens->room : FIRST_ROWS;
        struct tokens_row *more = calloc(room, sizeof *more);
        if (!more)
            return -ENOMEM;
        if (count)
            memcpy(more, tokens->row, count * sizeof *more);
        tokens_free(tokens);
        *tokens = (struct tokens){more, count, room};
    }
    tokens->row[tokens->count++] = (struct tokens_row){.state = TOKEN_FREE};
    return 0;
}

static int read_lines(struct tokens *tokens, FILE *in)
{
    char line[LINE_BYTES];
    int error = 0;
    while (!error && fgets(line, sizeof line, in)) {
        if (*line == '#')
            continue;
        error = grow(tokens);
        if (!error && (!strchr(line, '\n') || !read_row(line, &tokens->row[tokens->count - 1])))
            error = -EBADMSG;
    }
    OPENSSL_cleanse(line, sizeof line);
    return error;
}

int tokens_read(struct tokens *tokens, const char *path)
{
    struct stat facts;
    *tokens = (struct tokens){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int error = fstat(fd, &facts) ? -errno : 0;
    if (!error && (!S_ISREG(facts.st_mode) || facts.st_mode & (S_IRWXG | S_IRWXO) ||
                   (facts.st_uid != geteuid() && facts.st_uid != 0)))
        error = -EPERM;
    FILE *in = error ? NULL : fdopen(fd, "r");
    if (!in) {
        close(fd);
        return error ? error : -ENOMEM;
    }
    error = read_lines(tokens, in);
    fclose(in);
    if (error)
        tokens_free(tokens);
    return error;
}

static void print(const struct tokens_row *row, FILE *out)
{
    char id[2 * ENROL_ID_BYTES + 1], point[2 * ENROL_POINT_BYTES + 1], time[AUTH_TIME_BYTES];
    char proof[2 * ENROL_PROOF_BYTES + 1];
    tokens_hex(row->stored.id, sizeof row->stored.id, id);
    tokens_hex(row->stored.point, sizeof row->stored.point, point);
    auth_time_text(row->not_after_s, time);
    tokens_hex(row->proof, sizeof row->proof, proof);
    fprintf(out, "%s %s %s %s%s", row->name, id, point, after, time);
    if (row->key_id)
        fprintf(out, " %s=%u-%s\n", state_words[row->state], row->key_id, proof);
    else
        fputs(row->state == TOKEN_USED ? " used\n" : "\n", out);
}

static bool is_kept(const struct tokens_row *row, int64_t now_s)
{
    return row->not_after_s > now_s || row->state == TOKEN_TAKEN;
}

struct unexpired {
    const struct tokens *tokens;
    int64_t now_s;
};

static int fill(const void *what, FILE *out)
{
    const struct unexpired *kept = what;
    fputs("# One-time tokens, as far as the controller keeps them: docs/authentication.md.\n", out);
    for (uint32_t i = 0; i < kept->tokens->count; i++)
        if (is_kept(&kept->tokens->row[i], kept->now_s))
            print(&kept->tokens->row[i], out);
    return 0;
}

int tokens_write(const struct tokens *tokens, const char *path, int64_t now_s)
{
    const struct unexpired kept = {tokens, now_s};
    return secret_file_write(path, fill, &kept);
}

void tokens_drop(struct tokens *tokens, int64_t now_s)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tokens->count; i++)
        if (is_kept(&tokens->row[i], now_s))
            tokens->row[kept++] = tokens->row[i];
    tokens->count = kept;
}

int tokens_add(struct tokens *tokens, const struct tokens_row *row)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->row[i].name, row->name) != 0)
            tokens->row[kept++] = tokens->row[i];
    tokens->count = kept;
    int error = grow(tokens);
    if (!error)
        tokens->row[tokens->count - 1] = *row;
    return error;
}

struct tokens_row *tokens_find(const struct tokens *tokens, const uint8_t id[ENROL_ID_BYTES])
{
    for (uint32_t i = 0; i < tokens->count; i++)
        if (!memcmp(tokens->row[i].stored.id, id, ENROL_ID_BYTES))
            return &tokens->row[i];
    return NULL;
}

void tokens_free(struct tokens *tokens)
{
    if (tokens->row)
        OPENSSL_cleanse(tokens->row, tokens->room * sizeof *tokens->row);
    free(tokens->row);
    *tokens = (struct tokens){0};
}
