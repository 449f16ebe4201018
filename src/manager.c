#include "manager.h"
#include "monotonic.h"
#include <string.h>

/* A run under way. */
struct progress {
    struct manager *manager;
    const struct manager_limits *limits;
    size_t next; /* the first task that was not yet told of */
};

/* Decides what becomes of one instance. */
static void plan_task(struct manager_task *task, const struct selection_choice *choice,
                      const struct manager_wish *wish)
{
    const struct instance *instance = choice->instance;
    bool is_enabled = choice->standing != SELECTION_DISABLED;

    *task = (struct manager_task){.choice = choice, .argv = wish->argv, .status = MANAGER_PLANNED};
    if (!is_enabled && wish->argv_not_enabled != NULL)
        task->argv = wish->argv_not_enabled;
    if (choice->standing == SELECTION_DUPLICATE) {
        task->status = MANAGER_DUPLICATE;
        task->reason = alloc_format("same queue directory as %s", choice->twin->config_directory);
    } else if (!is_enabled && wish->argv_not_enabled == NULL) {
        task->status = MANAGER_DISABLED;
        task->reason = alloc_string("not enabled");
    } else if (instance->error != NULL) {
        task->status = MANAGER_FAILED;
        task->reason = alloc_string(instance->error);
    }
}

static void plan_child(struct manager *manager, struct manager_task *task,
                       const struct manager_wish *wish, bool inherits_input)
{
    struct run_child *child = &manager->children[manager->child_count++];

    utarray_new(task->settings, &alloc_string_icd);
    wish->add_settings(wish->context, task->choice->instance, task->settings);
    *child = (struct run_child){.program = wish->program,
                                .argv = task->argv,
                                .settings = task->settings,
                                .output = wish->captures ? RUN_BOTH : RUN_INHERIT,
                                .inherits_input = inherits_input};
    task->child = child;
}

/* Lays out the children of the default instance, or those of the others. */
static void plan_children(struct manager *manager, const struct selection *selection,
                          const struct manager_wish *wish, bool of_default)
{
    for (size_t i = 0; i < manager->count; i++) {
        size_t at = wish->order == MANAGER_DEFAULT_LAST ? manager->count - 1 - i : i;
        struct manager_task *task = &manager->tasks[at];

        if (task->status == MANAGER_PLANNED && task->choice->instance->is_default == of_default)
            plan_child(manager, task, wish, selection->chosen == 1);
    }
}

static void plan_children_in_order(struct manager *manager, const struct selection *selection,
                                   const struct manager_wish *wish)
{
    for (size_t i = 0; i < manager->count; i++)
        if (manager->tasks[i].status == MANAGER_PLANNED)
            plan_child(manager, &manager->tasks[i], wish, selection->chosen == 1);
}

void manager_plan(struct manager *manager, const struct selection *selection,
                  const struct manager_wish *wish)
{
    *manager = (struct manager){.count = selection->chosen,
                                .parallel = wish->parallel,
                                .is_reversed = wish->order == MANAGER_DEFAULT_LAST};
    manager->tasks = alloc_zeroed(manager->count, sizeof(*manager->tasks));
    manager->children = alloc_zeroed(manager->count, sizeof(*manager->children));
    for (size_t i = 0; i < manager->count; i++)
        plan_task(&manager->tasks[i], &selection->choices[i], wish);
    if (wish->order == MANAGER_IN_ORDER) {
        plan_children_in_order(manager, selection, wish);
        manager->first_part = manager->child_count;
        return;
    }
    plan_children(manager, selection, wish, wish->order == MANAGER_DEFAULT_FIRST);
    manager->first_part = manager->child_count;
    plan_children(manager, selection, wish, wish->order == MANAGER_DEFAULT_LAST);
}

/* How the child came to its end, for people; NULL when all is well. */
static char *describe_end(const struct run_child *child, const struct manager_limits *limits)
{
    bool is_interrupted = limits->interrupted != NULL && *limits->interrupted != 0;

    switch (child->outcome) {
    case RUN_PENDING:
        return is_interrupted ? alloc_string("not started: interrupted")
                              : alloc_format("not started within %ds", limits->time_limit);
    case RUN_NOT_STARTED:
        return alloc_format("run %s: %s", child->program, strerror(child->error));
    case RUN_TIMED_OUT:
        return alloc_format("not finished within %ds", limits->time_limit);
    case RUN_STOPPED:
        return alloc_string("interrupted");
    case RUN_ENDED:
        break;
    }
    if (child->error != 0)
        return alloc_format("output cannot be read: %s", strerror(child->error));
    if (child->signal != 0)
        return alloc_format("killed by signal %d (%s)", child->signal, strsignal(child->signal));
    return child->exit_status == 0 ? NULL : alloc_format("exit status %d", child->exit_status);
}

/* Tells of a task that is done. */
static void finish_task(const struct progress *progress, struct manager_task *task)
{
    if (task->child != NULL) {
        task->reason = describe_end(task->child, progress->limits);
        task->status = task->reason == NULL ? MANAGER_OK : MANAGER_FAILED;
    }
    if (progress->limits->finished != NULL)
        progress->limits->finished(progress->limits->context, task);
    if (task->child != NULL)
        run_free(task->child);
}

/* Tells of those at the front that are done: in order, and no later than it can be. */
static void advance(void *context, struct run_child *child)
{
    struct progress *progress = context;
    struct manager *manager = progress->manager;

    (void)child;
    while (progress->next < manager->count) {
        struct manager_task *task = &manager->tasks[progress->next];

        if (task->child != NULL && task->child->finished == 0)
            break;
        finish_task(progress, task);
        progress->next++;
    }
}

void manager_run(struct manager *manager, const struct manager_limits *limits)
{
    struct progress progress = {.manager = manager, .limits = limits};
    struct run run = {.children = manager->children,
                      .count = manager->first_part,
                      .parallel = manager->parallel,
                      .stop = limits->stop,
                      .interrupted = limits->interrupted,
                      .interruptions = limits->interruptions,
                      .signals = limits->signals,
                      .finished = advance,
                      .context = &progress};

    run_all(&run);
    run.children += manager->first_part;
    run.count = manager->child_count - manager->first_part;
    run_all(&run);
    for (; progress.next < manager->count; progress.next++)
        finish_task(&progress, &manager->tasks[progress.next]);
}

bool manager_is_well(const struct manager *manager)
{
    for (size_t i = 0; i < manager->count; i++)
        if (manager->tasks[i].status == MANAGER_FAILED)
            return false;
    return true;
}

bool manager_has_work(const struct manager *manager)
{
    for (size_t i = 0; i < manager->count; i++)
        if (manager->tasks[i].status != MANAGER_DISABLED)
            return true;
    return false;
}

const char *manager_status_name(enum manager_status status)
{
    static const char *const names[] = {
        [MANAGER_OK] = "ok",
        [MANAGER_FAILED] = "failed",
        [MANAGER_DISABLED] = "disabled",
        [MANAGER_DUPLICATE] = "duplicate",
        [MANAGER_PLANNED] = "planned",
    };

    return names[status];
}

double manager_seconds(const struct manager_task *task)
{
    if (task->child == NULL || task->child->started == 0)
        return 0;
    return (double)(task->child->finished - task->child->started) / (double)MONOTONIC_SECOND;
}

void manager_free(struct manager *manager)
{
    for (size_t i = 0; i < manager->count; i++) {
        if (manager->tasks[i].settings != NULL)
            utarray_free(manager->tasks[i].settings);
        free(manager->tasks[i].reason);
    }
    for (size_t i = 0; i < manager->child_count; i++)
        run_free(&manager->children[i]);
    free(manager->tasks);
    free(manager->children);
    *manager = (struct manager){0};
}
