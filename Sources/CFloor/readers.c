// As in FuseServer/Serving: a thread reads a request, answers it and reads the next, from a clone of the device. It
// looks for a moment before it sleeps. Another one reads beside it while more clients than one find it busy.
#define _GNU_SOURCE
#include "readers.h"

#include <CFuseShims.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "budget.h"
#include "operations.h"

#define MOST_READERS 64

/// In nanoseconds: in less time no thread sleeps and is woken.
static const uint64_t no_sleep = 4000;
/// After so many requests that were there already, of clients by turns, another thread is to read.
static const int long_backlog = 4;

struct reader {
    struct workplace workplace;
    struct fuse_session *session;
    char *request;
    int device;
    int is_nonblocking;
    struct budget budget;
    int was_waiting;
    int backlog;
    uint32_t last_client;
};

enum received { NOTHING, REQUEST, SURPLUS, END };

static atomic_int waiting;
/// How many threads read, or will when they have answered.
static atomic_int reading;
static atomic_int has_ended;
static int most_readers;
static sem_t parked;

static size_t request_room(void) { return LARGEST_DATA + 4096; }

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int prepare(struct reader *reader, struct fuse_session *session, int device) {
    *reader = (struct reader){.session = session, .device = device};
    reader->request = malloc(request_room());
    reader->workplace.output = malloc(LARGEST_DATA);
    reader->budget.is_allowed = most_readers > 1;
    return reader->request == NULL || reader->workplace.output == NULL ? ENOMEM : 0;
}

// --- waiting for a request

/// The request's length; below 0 is an errno.
static ssize_t receive(struct reader *reader, int at_once) {
    if (reader->is_nonblocking != at_once) {
        if (fcntl(reader->device, F_SETFL, at_once ? O_RDWR | O_NONBLOCK : O_RDWR) != 0) return -errno;
        reader->is_nonblocking = at_once;
    }
    ssize_t length = read(reader->device, reader->request, request_room());
    return length < 0 ? -errno : length;
}

static ssize_t receive_asleep(struct reader *reader, uint64_t begin) {
    ssize_t length = receive(reader, 0);
    uint64_t waited = now() - begin;
    reader->was_waiting = waited < no_sleep;
    budget_arrived(&reader->budget, waited);
    return length;
}

/// Looks again and again, for as long as that pays. -EAGAIN: no request came.
static ssize_t poll_device(struct reader *reader, uint64_t begin, uint64_t window) {
    uint64_t at = begin;
    while (at < begin + window) {
        ssize_t length = receive(reader, 1);
        uint64_t last = at;
        at = now();
        if (length != -EAGAIN) {
            budget_arrived(&reader->budget, at - begin);
            return length;
        }
        if (budget_is_preempted(&reader->budget, last, at)) break;
    }
    return -EAGAIN;
}

/// Leaves the waiting to another thread that waits.
static int leave_waiting(void) {
    int count = atomic_load(&waiting);
    while (count >= 2) {
        if (!atomic_compare_exchange_weak(&waiting, &count, count - 1)) continue;
        atomic_fetch_sub(&reading, 1);
        return 1;
    }
    return 0;
}

/// 0: another thread waits already, and this one doesn't any more.
static ssize_t look(struct reader *reader, int is_only) {
    uint64_t begin = now(), window = budget_window(&reader->budget, begin);
    if (is_only && window == 0) return receive_asleep(reader, begin);
    ssize_t length = receive(reader, 1);
    reader->was_waiting = length != -EAGAIN;
    if (reader->was_waiting) {
        budget_arrived(&reader->budget, 0);
        return length;
    }
    length = poll_device(reader, begin, window);
    if (length != -EAGAIN) return length;
    if (!is_only && leave_waiting()) return 0;
    return receive_asleep(reader, begin);
}

static enum received next_request(struct reader *reader, size_t *length) {
    int others = atomic_fetch_add(&waiting, 1);
    ssize_t count = look(reader, others == 0);
    if (count == 0) return SURPLUS;
    atomic_fetch_sub(&waiting, 1);
    *length = (size_t)count;
    if (count > 0) return REQUEST;
    return count == -EINTR || count == -EAGAIN || count == -ENOENT ? NOTHING : END;
}

// --- more readers than one

static void add_reader(void) {
    int count = atomic_load(&reading);
    while (count < most_readers) {
        if (!atomic_compare_exchange_weak(&reading, &count, count + 1)) continue;
        sem_post(&parked);
        return;
    }
}

static void note_backlog(struct reader *reader) {
    const struct sfs_request_header *header = (const void *)reader->request;
    uint32_t client = header->pid, last = reader->last_client;
    reader->last_client = client;
    if (!reader->was_waiting) {
        reader->backlog = 0;
    } else if (client != 0 && client != last && ++reader->backlog >= long_backlog) {
        add_reader();
    }
}

// --- serving

/// Returns when other threads do it, or the connection has ended.
static void serve(struct reader *reader) {
    size_t length;
    while (!atomic_load(&has_ended)) {
        switch (next_request(reader, &length)) {
        case NOTHING: continue;
        case SURPLUS: return;
        case END: atomic_store(&has_ended, 1); return;
        case REQUEST: break;
        }
        note_backlog(reader);
        sfs_session_process(reader->session, reader->request, length);
    }
}

static void *run(void *argument) {
    struct reader *reader = argument;
    sfs_thread_begin(&reader->workplace, reader->device);
    while (!atomic_load(&has_ended)) {
        while (sem_wait(&parked) != 0) {}
        serve(reader);
    }
    // Each of the others ends as well.
    sem_post(&parked);
    return NULL;
}

/// The features that libfuse 3.14 has no names for. Here no file has privileges that a write would take away, so the
/// kernel needn't ask before each.
static void prepare_init(const struct reader *reader, size_t length) {
    const struct sfs_init_request *body =
        (const void *)(reader->request + sizeof(struct sfs_request_header));
    if (length < sizeof(struct sfs_request_header) + sizeof *body) return;
    sfs_complete_init((SFS_INIT_PARALLEL_DIROPS | SFS_INIT_HANDLE_KILLPRIV_V2 | SFS_INIT_EXTENDED) & body->flags, 0);
}

int serve_init(struct fuse_session *session, int device) {
    struct reader reader;
    int error = prepare(&reader, session, device);
    if (error != 0) return error;
    ssize_t length = receive(&reader, 0);
    if (length < 0) return (int)-length;
    sfs_thread_begin(&reader.workplace, device);
    prepare_init(&reader, (size_t)length);
    sfs_session_process(session, reader.request, (size_t)length);
    sfs_thread_begin(NULL, -1);
    return 0;
}

static int clone_device(int device) {
    int clone = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (clone >= 0 && ioctl(clone, SFS_DEVICE_CLONE, &device) != 0) return -1;
    return clone;
}

int serve_requests(struct fuse_session *session, int device) {
    static struct reader readers[MOST_READERS];
    pthread_t threads[MOST_READERS];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    most_readers = processors < 1 ? 1 : processors > MOST_READERS ? MOST_READERS : (int)processors;
    sem_init(&parked, 0, 0);
    for (int index = 0; index < most_readers; index++) {
        int clone = clone_device(device);
        if (clone < 0) return errno;
        int error = prepare(&readers[index], session, clone);
        if (error == 0) error = pthread_create(&threads[index], NULL, run, &readers[index]);
        if (error != 0) return error;
    }
    add_reader();
    for (int index = 0; index < most_readers; index++) pthread_join(threads[index], NULL);
    return 0;
}
