/* SPDX-License-Identifier: MIT */
/*
 * What a service may do: each byte is a step of the service, and after each the trigger looks. It
 * must never say that a request was read when it was not.
 */
#include "base/limits.h"
#include "scratch.h"
#include "wire/trigger.c" /* a step has no other way in */
#include <assert.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char request[] = "FADI";
static int listening;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char directory[sizeof(scratch) + 8];

    (void)argc;
    (void)argv;
    scratch_make();
    (void)snprintf(directory, sizeof(directory), "%s/public", scratch);
    assert(mkdir(directory, 0700) == 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/public/s", scratch);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(bind(listening, (const struct sockaddr *)&address, sizeof(address)) == 0);
    assert(listen(listening, 5) == 0);
    return 0;
}

/* Gives the trigger the events that epoll would report. */
static void look(struct trigger *trigger)
{
    struct pollfd waiting = {.fd = trigger->fd, .events = POLLIN | POLLOUT | POLLRDHUP};
    int64_t now = clock_now();

    if (trigger->state == TRIGGER_DONE || poll(&waiting, 1, 0) < 0)
        return;
    step(trigger, (uint32_t)waiting.revents, now); /* EPOLL* and POLL* are the same */
}

/* One step of the service. Returns how many bytes of the request it read. */
static size_t serve(int *service, uint8_t act, const uint8_t *data, size_t size)
{
    char bytes[sizeof(request)];
    ssize_t count = 0;

    if (*service < 0)
        return 0;
    switch (act % 5) {
    case 0:
        (void)send(*service, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        break;
    case 1:
        count = recv(*service, bytes, act / 5 % sizeof(bytes) + 1, MSG_DONTWAIT);
        break;
    case 2:
        (void)shutdown(*service, act & 1 ? SHUT_WR : SHUT_RD);
        break;
    case 3:
        close(*service);
        *service = -1;
        break;
    default: /* does nothing */
        break;
    }
    return count > 0 ? (size_t)count : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trigger_shared shared = {.control = -1};
    struct trigger trigger = {.shared = &shared};
    size_t was_read = 0;

    utarray_init(&shared.lingering, &ut_int_icd);
    trigger.queue_directory = scratch;
    trigger.class = "public";
    trigger.service = "s";
    trigger.request = request;
    trigger.request_length = strlen(request);
    trigger.send_limit = trigger.read_limit = 1000;
    trigger.wait_for_close = size > 0 && (data[0] & 0x80) != 0;
    assert(start(&trigger, clock_now(), CLOCK_NEVER));
    int service = accept(listening, NULL, NULL);
    assert(service >= 0);
    for (size_t i = 0; i < size && trigger.state != TRIGGER_DONE; i++) {
        was_read += serve(&service, data[i], data, size);
        look(&trigger);
    }
    if (trigger.outcome == TRIGGER_KICKED || trigger.state == TRIGGER_CLOSING)
        assert(was_read == sizeof(request)); /* with its NUL */
    if (was_read < sizeof(request) && service < 0)
        assert(trigger.outcome == TRIGGER_CLOSED);
    abandon(&trigger, clock_now());
    for (unsigned i = 0; i < utarray_len(&shared.lingering); i++)
        close(*(const int *)utarray_eltptr(&shared.lingering, i));
    utarray_done(&shared.lingering);
    if (service >= 0)
        close(service);
    return 0;
}
