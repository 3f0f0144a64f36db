#include "budget.h"

// PollBudget.swift says why each is as it is. All but the last are nanoseconds.
static const uint64_t quick = 100000;
static const uint64_t preempted = 400000;
static const uint64_t shortest_retreat = 20000000;
static const uint64_t longest_retreat = 640000000;
static const int proof = 3;

uint64_t budget_window(const struct budget *budget, uint64_t now) {
    return budget->is_looking && now >= budget->retreats_until ? quick : 0;
}

int budget_is_preempted(struct budget *budget, uint64_t last, uint64_t now) {
    if (now - last <= preempted) return 0;
    int is_soon = now - budget->retreats_until < budget->retreat;
    uint64_t doubled = budget->retreat * 2 < longest_retreat ? budget->retreat * 2 : longest_retreat;
    budget->retreat = is_soon ? doubled : shortest_retreat;
    budget->retreats_until = now + budget->retreat;
    return 1;
}

void budget_arrived(struct budget *budget, uint64_t waited) {
    if (!budget->is_allowed) return;
    if (waited <= quick) {
        budget->misses = 0;
        if (budget->hits < proof) budget->hits++;
        if (budget->hits == proof) budget->is_looking = 1;
    } else {
        budget->hits = 0;
        if (budget->misses < proof) budget->misses++;
        if (budget->misses == proof) budget->is_looking = 0;
    }
}
