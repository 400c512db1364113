/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that hot threads do not allocate: every entry of the allocator, in front of glibc's own. Until
 * a thread seals itself nothing changes for it; afterwards the first call says which one it was and aborts.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's allocator under the names by which it can be reached from in front. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t align, size_t bytes);
extern void __libc_free(void *old);

void flyball_seal_thread(void);

/* initial-exec: reached without a call that might itself allocate. */
static _Thread_local int sealed __attribute__((tls_model("initial-exec")));

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;

static void unseal(void *value)
{
    (void)value;
    sealed = 0;
}

static void make_end_key(void)
{
    if (pthread_key_create(&end_key, unseal))
        abort();
}

void flyball_seal_thread(void)
{
    /* A thread that ends is hot no more, and glibc frees what it kept for it: the key's destructor runs
     * first. */
    pthread_once(&end_once, make_end_key);
    if (pthread_setspecific(end_key, &end_key))
        abort();
    sealed = 1;
}

static void refuse_if_sealed(const char *call)
{
    static const char told[] = "flyball: a sealed thread called ";

    if (!sealed)
        return;
    sealed = 0;     /* abort handlers may allocate */
    if (write(STDERR_FILENO, told, sizeof(told) - 1) < 0 || write(STDERR_FILENO, call, strlen(call)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        abort();
    abort();
}

void *malloc(size_t bytes)
{
    refuse_if_sealed("malloc");
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    refuse_if_sealed("calloc");
    return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    refuse_if_sealed("realloc");
    return __libc_realloc(old, bytes);
}

void *reallocarray(void *old, size_t count, size_t bytes)
{
    size_t total;

    refuse_if_sealed("reallocarray");
    if (__builtin_mul_overflow(count, bytes, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, total);
}

void free(void *old)
{
    refuse_if_sealed("free");
    __libc_free(old);
}

void *memalign(size_t align, size_t bytes)
{
    refuse_if_sealed("memalign");
    return __libc_memalign(align, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
    refuse_if_sealed("aligned_alloc");
    return __libc_memalign(align, bytes);
}

int posix_memalign(void **memory, size_t align, size_t bytes)
{
    refuse_if_sealed("posix_memalign");
    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return EINVAL;
    void *got = __libc_memalign(align, bytes);
    if (!got)
        return ENOMEM;
    *memory = got;
    return 0;
}
