/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/mailbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mailbox_init(struct mailbox *mailbox, uint32_t capacity, uint64_t seed)
{
    memset(mailbox, 0, sizeof(*mailbox));
    mailbox->heap = calloc(capacity, sizeof(*mailbox->heap));
    mailbox->capacity = capacity;
    random_init(&mailbox->random, seed, RANDOM_NETWORK, 0);
    return mailbox->heap ? 0 : -ENOMEM;
}

void mailbox_finish(struct mailbox *mailbox)
{
    free(mailbox->heap);
    mailbox->heap = NULL;
}

static bool earlier(const struct mail *a, const struct mail *b)
{
    return a->t_ns != b->t_ns ? a->t_ns < b->t_ns : a->order < b->order;
}

static void swap(struct mail *a, struct mail *b)
{
    struct mail keep = *a;
    *a = *b;
    *b = keep;
}

void mailbox_post(struct mailbox *mailbox, uint8_t to, uint32_t index, const uint8_t *data, uint32_t bytes,
                  int64_t t_ns)
{
    double late = random_unit(&mailbox->random);
    mailbox->sent++;
    if (random_unit(&mailbox->random) < mailbox->loss || mailbox->count == mailbox->capacity ||
        bytes > MAIL_BYTES) {
        mailbox->lost++;
        return;
    }
    uint32_t at = mailbox->count++;
    struct mail *mail = &mailbox->heap[at];
    mail->t_ns = t_ns + mailbox->delay_ns + (int64_t)(late * (double)mailbox->jitter_ns);
    mail->order = mailbox->next_order++;
    mail->index = index;
    mail->to = to;
    mail->bytes = (uint16_t)bytes;
    memcpy(mail->data, data, bytes);
    for (; at > 0 && earlier(&mailbox->heap[at], &mailbox->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&mailbox->heap[at], &mailbox->heap[(at - 1) / 2]);
}

static void sink(struct mailbox *mailbox)
{
    for (uint32_t at = 0;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < mailbox->count; child++) {
            if (earlier(&mailbox->heap[child], &mailbox->heap[least]))
                least = child;
        }
        if (least == at)
            return;
        swap(&mailbox->heap[at], &mailbox->heap[least]);
        at = least;
    }
}

bool mailbox_take(struct mailbox *mailbox, int64_t t_ns, struct mail *mail)
{
    if (!mailbox->count || mailbox->heap[0].t_ns > t_ns)
        return false;
    *mail = mailbox->heap[0];
    mailbox->heap[0] = mailbox->heap[--mailbox->count];
    sink(mailbox);
    return true;
}
