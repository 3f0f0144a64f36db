// What a server and its agents say to each other; see agent.c and agent_process.c.
#ifndef SLX_AGENT_H
#define SLX_AGENT_H

#include "CLinux.h"

/// The descriptors of a request, in this order: the connection to answer on, the object, the namespaces that are
/// to be entered, and with the mount namespace the root and working directories.
enum { AGENT_MOST_DESCRIPTORS = 2 + SLX_NAMESPACE_COUNT + 2 };

/// A request's head, sent to the broker. Groups, path and data follow on the connection.
struct agent_request {
    int32_t operation;
    int32_t flags;
    uint32_t namespaces;
    uint32_t uid, gid;
    uint32_t group_count;
    uint32_t path_length;  // with its NUL
    uint32_t is_stream;
    uint64_t capabilities;
    int64_t offset;
    uint64_t size;
};

/// What bit n of a set of namespaces stands for: its link in /proc/PID/ns, and its flag for setns(2).
struct agent_namespace {
    const char *name;
    int flag;
};
extern const struct agent_namespace agent_namespaces[SLX_NAMESPACE_COUNT];

/// What a broker does until its server is gone.
_Noreturn void agent_broker(int control);

#endif
