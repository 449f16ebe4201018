/* SPDX-License-Identifier: MIT */
/* Finds out whether instances are in order. */
#include "postfix/status.h"
#include "base/descriptors.h"
#include "base/path.h"
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Whether a failed trigger shows that the queue manager is missing or does not answer. */
static bool shows_silence(const struct trigger *trigger)
{
    enum trigger_outcome outcome = trigger->outcome;

    return outcome == TRIGGER_NOT_READ || outcome == TRIGGER_QUEUE_FULL ||
           outcome == TRIGGER_NOT_WRITTEN || outcome == TRIGGER_HELD ||
           outcome == TRIGGER_NO_READER || outcome == TRIGGER_CLOSED ||
           (outcome == TRIGGER_LOOKUP && trigger->error == ENOENT) ||
           (outcome == TRIGGER_CONNECT && trigger->error == ECONNREFUSED);
}

static const struct kick *find_first(const struct kick *kick)
{
    return kick->duplicate_of == NULL ? kick : kick->duplicate_of;
}

static enum status_answer find_answer(const struct kick *kick)
{
    if (kick->trigger == NULL)
        return STATUS_UNASKED;
    if (kick->status == KICK_KICKED)
        return STATUS_ANSWERED;
    return shows_silence(kick->trigger) ? STATUS_SILENT : STATUS_UNASKED;
}

static bool is_master_stopped(const struct instance *instance, struct master_locks *locks)
{
    pid_t holder = master_lock_holder(locks, instance_value(instance, PARAMETER_QUEUE_DIRECTORY),
                                      "pid/master.pid");

    return holder != 0 && master_is_stopped(holder);
}

/* A socket as unix_diag names it: the kernel's device number, and the lower half of the inode. */
static const UT_icd listener_icd = {sizeof(struct unix_diag_vfs), NULL, NULL, NULL};

/* Adds what a message of the kernel says of one socket. */
static void add_listener(UT_array *listeners, const struct nlmsghdr *message)
{
    size_t left = NLMSG_PAYLOAD(message, sizeof(struct unix_diag_msg));
    const struct rtattr *each = (const void *)((const char *)NLMSG_DATA(message) +
                                               NLMSG_ALIGN(sizeof(struct unix_diag_msg)));

    for (; RTA_OK(each, left); each = RTA_NEXT(each, left))
        if (each->rta_type == UNIX_DIAG_VFS && RTA_PAYLOAD(each) >= sizeof(struct unix_diag_vfs))
            utarray_push_back(listeners, RTA_DATA(each));
}

/* Returns the sockets in file systems that processes of this network namespace are listening on, as
 * the kernel reports them (sock_diag(7)): an array for utarray_free(); or NULL if it does not. */
static UT_array *find_listeners(void)
{
    static const struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } question = {
        {.nlmsg_len = sizeof(question),
         .nlmsg_type = SOCK_DIAG_BY_FAMILY,
         .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        {.sdiag_family = AF_UNIX, .udiag_states = 1U << TCP_LISTEN, .udiag_show = UDIAG_SHOW_VFS}};
    _Alignas(struct nlmsghdr) char buffer[32768];
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    ssize_t count = send(netlink, &question, sizeof(question), 0);
    bool is_whole = false;
    UT_array *listeners;

    utarray_new(listeners, &listener_icd);
    while (!is_whole && count > 0 &&
           (count = recv(netlink, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
        const struct nlmsghdr *message = (const void *)buffer;

        for (size_t left = (size_t)count; NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left)) {
            is_whole = is_whole || message->nlmsg_type == NLMSG_DONE;
            if (message->nlmsg_type == NLMSG_ERROR)
                count = 0;
            else if (!is_whole)
                add_listener(listeners, message);
        }
    }
    descriptors_close(&netlink);
    if (is_whole)
        return listeners;
    utarray_free(listeners);
    return NULL;
}

enum presence {
    PRESENCE_UNKNOWN,
    PRESENCE_MISSING,  /* there is no endpoint */
    PRESENCE_DESERTED, /* no process is listening on the socket */
    PRESENCE_LISTENING,
};

/* A FIFO is left alone: to open it could wake its reader. */
static enum presence find_presence(const struct instance *instance, const char *service,
                                   const UT_array *listeners)
{
    struct endpoint endpoint;
    enum endpoint_result result = endpoint_open(
        &endpoint, instance_value(instance, PARAMETER_QUEUE_DIRECTORY), "public", service);
    const struct endpoint_identity *identity = &endpoint.identity;

    descriptors_close(&endpoint.fd);
    if (result == ENDPOINT_LOOKUP && endpoint.error == ENOENT)
        return PRESENCE_MISSING;
    if (result != ENDPOINT_SOCKET || listeners == NULL)
        return PRESENCE_UNKNOWN;
    uint32_t device = major(identity->device) << 20 | minor(identity->device);
    for (unsigned i = 0; i < utarray_len(listeners); i++) {
        const struct unix_diag_vfs *each = utarray_eltptr(listeners, i);

        if (each->udiag_vfs_dev == device && each->udiag_vfs_ino == (uint32_t)identity->inode)
            return PRESENCE_LISTENING;
    }
    return PRESENCE_DESERTED;
}

/* Whether master.cf has pickup(8), and no process is listening for it. The queue manager's socket,
 * which has answered, tells whether listeners can be seen at all: not those of another network
 * namespace, and not on file systems whose device numbers are their own. */
static bool lacks_pickup(const struct instance *instance, const UT_array *listeners)
{
    const char *pickup = instance_value(instance, PARAMETER_PICKUP_SERVICE_NAME);
    const char *qmgr = instance_value(instance, PARAMETER_QUEUE_SERVICE_NAME);
    enum master_service found = master_find_service(instance->config_directory, pickup);

    if (found == MASTER_SERVICE_UNKNOWN || (found & MASTER_SERVICE_PUBLIC) == 0)
        return false;
    enum presence presence = find_presence(instance, pickup, listeners);
    return presence == PRESENCE_MISSING ||
           (presence == PRESENCE_DESERTED &&
            find_presence(instance, qmgr, listeners) == PRESENCE_LISTENING);
}

/* Returns the number of bytes that a parameter says, or 0 where Postfix would find an error. */
static double bytes(const struct instance *instance, enum parameter parameter)
{
    const char *value = instance_value(instance, parameter);
    char *end;
    long long number = strtoll(value, &end, 10);

    return end != value && *end == '\0' && number > 0 ? (double)number : 0;
}

/* Returns why smtpd(8) refuses mail, a new string; or NULL. */
static char *find_shortage(const struct instance *instance)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    double least = bytes(instance, PARAMETER_QUEUE_MINFREE);
    double message = 1.5 * bytes(instance, PARAMETER_MESSAGE_SIZE_LIMIT);
    struct stat status;
    struct statvfs system;
    int fd = path_place(queue, 0, &status, &system);

    if (fd < 0)
        return NULL;
    close(fd);
    double room = (double)system.f_bavail * (double)system.f_frsize;
    if (message > least)
        least = message;
    if (room <= least)
        return alloc_format("mail is refused: %s has %.0f bytes free and needs more than %.0f",
                            queue, room, least);
    if (system.f_files > 0 && system.f_favail == 0)
        return alloc_format("mail is refused: %s has no free inode", queue);
    return NULL;
}

/* Returns another instance, selected or not, whose master(8) holds the queue directory of this one,
 * which shares it; or NULL, in doubt too. */
static const struct instance *find_owner(const struct kicks *kicks, const struct kick *kick)
{
    const struct instance *instance = kick->member->instance;

    if (kick->member->state != SELECTION_SERVE || instance_owns_queue(instance, kicks->locks))
        return NULL;
    if (instance->owner != NULL)
        return instance->owner;
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *other = &kicks->items[i];

        if (other != kick && other->member->state == SELECTION_SERVE &&
            find_first(other) == find_first(kick) &&
            instance_owns_queue(other->member->instance, kicks->locks))
            return other->member->instance;
    }
    return NULL;
}

static void find_status(struct status *status, const struct kicks *kicks, const UT_array *listeners)
{
    const struct kick *kick = status->kick, *first = find_first(kick);
    struct instance *instance = kick->member->instance;
    bool is_shared = kicks->has_duplicates || instance->conflicts != NULL;
    enum status_answer answer = find_answer(first);
    const struct instance *owner =
        answer == STATUS_ANSWERED && is_shared ? find_owner(kicks, kick) : NULL;

    status->answer = owner == NULL ? answer : STATUS_SILENT;
    status->seconds = first->seconds;
    status->is_wanted = instance->enabled != INSTANCE_DISABLED || kick->member->is_named;
    if (owner != NULL) {
        instance->running = MASTER_STOPPED;
        status->state = STATUS_NOT_RUNNING;
        status->reason = alloc_format("not running: its queue directory is in use by %s",
                                      owner->config_directory);
    } else if (answer == STATUS_UNASKED) {
        status->state = STATUS_UNKNOWN;
    } else if (answer == STATUS_SILENT && instance->running == MASTER_STOPPED) {
        status->state = STATUS_NOT_RUNNING;
    } else if (is_master_stopped(instance, kicks->locks)) {
        status->state = STATUS_STOPPED;
        if (answer == STATUS_ANSWERED)
            status->reason = alloc_string("master(8) is stopped: no process can be started");
    } else if (answer == STATUS_SILENT) {
        status->state = STATUS_NOT_RESPONDING;
    } else if (lacks_pickup(instance, listeners)) {
        status->state = STATUS_NO_PICKUP;
        status->reason =
            alloc_format("public/%s: no process is listening: stop and start the instance",
                         instance_value(instance, PARAMETER_PICKUP_SERVICE_NAME));
    } else if ((status->reason = find_shortage(instance)) != NULL) {
        status->state = STATUS_FULL;
    } else {
        status->state = STATUS_OK;
    }
    if (answer != STATUS_ANSWERED)
        status->reason = alloc_string(kick->reason == NULL ? "" : kick->reason);
    status->has_succeeded = !status->is_wanted || status->state == STATUS_OK;
}

struct status *statuses_find(const struct kicks *kicks)
{
    struct status *statuses = alloc_zeroed(kicks->count, sizeof(*statuses));
    UT_array *listeners = find_listeners();

    for (size_t i = 0; i < kicks->count; i++) {
        statuses[i].kick = &kicks->items[i];
        find_status(&statuses[i], kicks, listeners);
    }
    if (listeners != NULL)
        utarray_free(listeners);
    return statuses;
}

void statuses_free(struct status *statuses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(statuses[i].reason);
    free(statuses);
}
