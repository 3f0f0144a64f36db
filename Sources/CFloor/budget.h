// For how long a thread looks at the device before it sleeps there: FuseServer's PollBudget, in C.
#pragma once

#include <stdint.h>

struct budget {
    int is_allowed;
    int hits;
    int misses;
    int is_looking;
    uint64_t retreats_until;
    uint64_t retreat;
};

/// For how many nanoseconds to look for a request. 0: sleep at once.
uint64_t budget_window(const struct budget *budget, uint64_t now);
/// Whether looking must stop, as another thread ran here between two looks.
int budget_is_preempted(struct budget *budget, uint64_t last, uint64_t now);
/// Notes that a request came after `waited` nanoseconds.
void budget_arrived(struct budget *budget, uint64_t waited);
