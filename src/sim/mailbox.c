/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/mailbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mailbox_init(struct mailbox *mailbox, uint32_t capacity, uint64_t seed)
{
    memset(mailbox, 0, sizeof(*mailbox));
    mailbox->mail = calloc(capacity, sizeof(*mailbox->mail));
    mailbox->heap = calloc(capacity, sizeof(*mailbox->heap));
    mailbox->free = calloc(capacity, sizeof(*mailbox->free));
    mailbox->capacity = capacity;
    random_init(&mailbox->random, seed, RANDOM_NETWORK, 0);
    if (mailbox->mail && mailbox->heap && mailbox->free)
        return 0;
    mailbox_finish(mailbox);
    return -ENOMEM;
}

void mailbox_finish(struct mailbox *mailbox)
{
    free(mailbox->mail);
    free(mailbox->heap);
    free(mailbox->free);
    mailbox->mail = NULL;
    mailbox->heap = NULL;
    mailbox->free = NULL;
}

static bool earlier(const struct mail_key *a, const struct mail_key *b)
{
    return a->t_ns != b->t_ns ? a->t_ns < b->t_ns : a->order < b->order;
}

static void rise(struct mailbox *mailbox, struct mail_key key)
{
    uint32_t at = mailbox->count++;
    for (; at > 0 && earlier(&key, &mailbox->heap[(at - 1) / 2]); at = (at - 1) / 2)
        mailbox->heap[at] = mailbox->heap[(at - 1) / 2];
    mailbox->heap[at] = key;
}

void mailbox_post(struct mailbox *mailbox, uint32_t to, uint32_t index, const struct message *message,
                  int64_t t_ns)
{
    double late = random_unit(&mailbox->random);
    mailbox->sent++;
    if (random_unit(&mailbox->random) < mailbox->loss ||
        (!mailbox->free_count && mailbox->untouched == mailbox->capacity)) {
        mailbox->lost++;
        return;
    }
    uint32_t place = mailbox->free_count ? mailbox->free[--mailbox->free_count] : mailbox->untouched++;
    int64_t at_ns = t_ns + mailbox->delay_ns + (int64_t)(late * (double)mailbox->jitter_ns);
    mailbox->mail[place] = (struct mail){.t_ns = at_ns, .index = index, .to = to, .message = *message};
    rise(mailbox, (struct mail_key){at_ns, mailbox->next_order++, place});
}

/* The last of the heap looks for its place from the top. */
static void sink(struct mailbox *mailbox)
{
    struct mail_key key = mailbox->heap[--mailbox->count];
    uint32_t at = 0;
    for (uint32_t child = 1; child < mailbox->count; child = 2 * at + 1) {
        child += child + 1 < mailbox->count &&
                 earlier(&mailbox->heap[child + 1], &mailbox->heap[child]);
        if (!earlier(&mailbox->heap[child], &key))
            break;
        mailbox->heap[at] = mailbox->heap[child];
        at = child;
    }
    mailbox->heap[at] = key;
}

const struct mail *mailbox_take(struct mailbox *mailbox, int64_t t_ns)
{
    if (mailbox->taken)
        mailbox->free[mailbox->free_count++] = mailbox->taken - 1;
    mailbox->taken = 0;
    if (!mailbox->count || mailbox->heap[0].t_ns > t_ns)
        return NULL;
    uint32_t place = mailbox->heap[0].place;
    mailbox->taken = place + 1;
    sink(mailbox);
    return &mailbox->mail[place];
}
