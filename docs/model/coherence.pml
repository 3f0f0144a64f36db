// The cache-coherence protocol of `watch` layers: a model for spin. README.md beside it says what stands for what.
//
// A root directory P holds the names A and B. A name denotes a directory of the union, and each of those holds one
// name, h. All is numbered: real directories are bits (so that what backs a directory is a set), nodes are 1…NODES,
// and a *key* is a directory and a name in it: 0 is (P,A), 1 is (P,B), 1+N is (node N,h).

#ifndef NODES
#define NODES 2
#endif
#ifndef CHANGES
#define CHANGES 3       /* how often strangers change the layers; clients ask without end */
#endif
#define KEYS (NODES + 2)
#define P 0             /* directories: P is 0, node N is N */
#define KEY(N) (1 + (N))

// Layers. u1 and u2 lie in the upper, l1 in the lower.
#define U1 1
#define U2 2
#define L1 4
#define UPPER 3
#define LOWER 4
#define WHITEOUT 16
byte up[2], lo[2];      /* which real directory (or whiteout) has the name A or B in the upper, in the lower */
byte h[3];              /* what h is in u1, u2, l1: nothing, an object, another object, or HIDDEN: a whiteout */
#define HIDDEN 3
byte complete;          /* real directories that are marked so on disk */

// What follows from the layers, kept beside them: what the union shows at A and B, what a look finds that reads
// no marks and one that stays in the upper, and which object h is in a directory that a set backs (0: none).
byte shows[2], opens[2], opensUpper[2];
byte finds[7];
#define SHOWS(n) shows[n]
#define FIND(s) finds[s]
#define OBJECT(i) (h[i] == 0 || h[i] == HIDDEN -> 0 : (i) + 1 + 3 * (h[i] - 1))
#define IN(r) h[(r) >> 1]
inline follow(n) {
    opensUpper[n] = (up[n] == WHITEOUT -> 0 : up[n]);
    opens[n] = (up[n] == WHITEOUT -> 0 : up[n] | lo[n]);
    shows[n] = ((up[n] & complete) -> up[n] : opens[n])
}
inline followLayers() {
    follow(0);
    follow(1);
    finds[U1] = OBJECT(0); finds[U2] = OBJECT(1); finds[L1] = OBJECT(2);
    finds[U1 | L1] = (h[0] -> finds[U1] : finds[L1]); finds[U2 | L1] = (h[1] -> finds[U2] : finds[L1])
}

// The kernel. Locks are those of directories; a LOOKUP has its name for itself while it is in flight.
#define MISSING 15
byte kernel[KEYS];      /* 0: not cached; MISSING; or the node (of A, B) or object (of h) */
byte readers[NODES + 1];
bit writer[NODES + 1];
bit inFlight[KEYS];
#define FREE(d) (readers[d] == 0 && !writer[d])

// The server's tables.
#define GONE 14         /* a contested place whose node is forgotten */
byte told[KEYS];        /* names[n].node; 0: none */
bit contested[KEYS];
byte made[NODES + 1];   /* the real directories that a node was last known to be made of */
bit place[NODES + 1];   /* the name that a node stands at */
byte floor;             /* bit N: the upper alone may back node N, as far as the server knows */
byte watched;           /* real directories with a watch */
bit pending[KEYS];      /* an own change is under way */
bit renaming;
byte hold[2];           /* the node that a client's request is about */
bit inReply[2];         /* its reply is under way */

// Clock values are compared and not used otherwise. So there is no counter, there are the outcomes; a bit for each worker.
byte ticked;            /* the clock has moved on since it began */
byte kept;              /* looksCountFrom of its directory is younger than its beginning */
byte earlier;           /* it began at an earlier tick than the other one */
byte outdated;          /* what is told of its key is of a younger look */
byte renamed;           /* a rename ended since it began */
byte looking;           /* it is between beginning and reply */
byte at[2], about[2];   /* the directory and key that it looks at */

// Events that wait. A set and no row: taken out in any order, which is more than inotify does.
byte eventOfName;       /* bit n: (P,n) */
byte eventInNode;       /* bit N: (node N,h) */
bit overflow;
byte unsure;            /* bit N: a worker found node N made of others than noted, or nowhere */
bit notifierBusy = 1;
byte notifierNode;
byte settling;          /* key + 1 that the notify thread looks at */
bit overtaken;          /* its place was written since */
byte dropping;          /* key + 1 that it has decided to drop */
bit clientBusy[2];
byte changes;

// One mount, on any cached name.
byte mountKey;          /* key + 1; 0: no mount */
byte seen[KEYS];
bit gap[KEYS];
bit gapBefore;          /* the name that the notify thread looks at had one */
bit excused;            /* its very object was removed or replaced */
bit mountedOnce;
byte mountNode;

#define IS_NODE(x) ((x) != 0 && (x) != MISSING && (x) != GONE)
#define BIT(x) (1 << (x))
#define SET(a, x) a = a | BIT(x)
#define CLEAR(a, x) a = a & (255 - BIT(x))

// What the server finds to back node N where it stands. 0 unless the node continues there.
#define PATH(N) ((floor & BIT(N)) -> opensUpper[place[N]] : opens[place[N]])
#define BACKS(N) ((PATH(N) & made[N]) -> PATH(N) : 0)

// What really backs node N, wherever it is.
#define TRULY(N) ((SHOWS(0) & made[N]) -> SHOWS(0) : ((SHOWS(1) & made[N]) -> SHOWS(1) : 0))

// A name has a *gap* when what it showed goes or is replaced. Gaps are remembered until the name is looked at next.
// Changes that are settled as one may leave nothing of what backed a directory before: that counts as a replacement.
#ifdef STRICT_GAP
#define OTHERS(N, n) 0
#else
#define OTHERS(N, n) (IS_NODE(N) && !(SHOWS(n) & made[((N) < GONE -> (N) : 0)]))
#endif
inline compareName(n) {
    if :: seen[n] && !(seen[n] & SHOWS(n)) || OTHERS(kernel[n], n) || OTHERS(told[n], n) -> gap[n] = 1;
        if :: mountKey == n + 1 || mountKey > 2 && kernel[n] == mountNode -> excused = 1 :: else fi
       :: else
    fi;
    seen[n] = SHOWS(n)
}
inline compareChild(N) {
    if :: seen[KEY(N)] && seen[KEY(N)] != FIND(TRULY(N)) -> gap[KEY(N)] = 1;
        if :: mountKey == KEY(N) + 1 -> excused = 1 :: else fi
       :: else
    fi;
    seen[KEY(N)] = FIND(TRULY(N))
}
inline compare() {
    followLayers();
    compareName(0);
#ifdef RENAME
    compareName(1);
#endif
    compareChild(1); compareChild(2)
#if NODES > 2
    ; compareChild(3)
#endif
}
inline detach() {
    assert(excused);    // no mount is lost unless its very object was removed or replaced
    mountKey = 0; mountNode = 0; excused = 0
}

#define GAP(key) (gap[key] || settling == key + 1 && gapBefore)

// The kernel drops what it caches of a key: a mount on it or below goes.
inline drop(key) {
    printf("kernel: drops key %d, was %d\n", key, kernel[key]);
    if :: mountKey == key + 1 -> detach()
       :: mountKey > 2 && key < 2 && kernel[key] == mountNode -> detach()
       :: else
    fi;
    kernel[key] = 0
}
// Nothing was told, so the kernel holds a missing name, or what was told since. It asks again, and keeps what is right.
inline expire(key) {
    printf("kernel: expires key %d, is %d\n", key, kernel[key]);
    if :: kernel[key] == MISSING -> kernel[key] = 0
       :: IS_NODE(kernel[key]) ->
        if :: key < 2 ->
            if :: SHOWS(key) & made[kernel[key]] :: else -> s = kernel[key]; drop(key); forget(s); s = 0 fi
           :: else ->
            if :: FIND(TRULY(key - 1)) == kernel[key] :: else -> drop(key) fi
        fi
       :: kernel[key] == 0
    fi
}

// A node that nobody holds is forgotten. Where its place is still in the table, FORGET may as well be late.
inline forget(N) {
    if :: N != 0 && N < MISSING - 1 && made[N] && kernel[0] != N && kernel[1] != N && hold[0] != N && hold[1] != N && notifierNode != N ->
        kernel[KEY(N)] = 0;
        if :: told[0] != N && told[1] != N -> free(N)
           :: told[0] == N || told[1] == N -> free(N)
           :: told[0] == N || told[1] == N
        fi
       :: else
    fi
}
inline forgetPlace(key) {
#ifdef BUG_FORGET_CONTESTED
    told[key] = 0; contested[key] = 0
#else
    if :: contested[key] -> told[key] = GONE :: else -> told[key] = 0 fi
#endif
}
inline free(N) {
    if :: told[0] == N -> forgetPlace(0) :: else fi;
    if :: told[1] == N -> forgetPlace(1) :: else fi;
    kernel[KEY(N)] = 0; told[KEY(N)] = 0; contested[KEY(N)] = 0;
    made[N] = 0; place[N] = 0; seen[KEY(N)] = 0; gap[KEY(N)] = 0; CLEAR(floor, N); CLEAR(eventInNode, N); CLEAR(unsure, N);
    unwatch()
}
#if NODES == 2
#define ALL_MADE (made[1] | made[2])
#else
#define ALL_MADE (made[1] | made[2] | made[3])
#endif
inline unwatch() { watched = watched & ALL_MADE }

// Events.
inline tellName(n) {
    if :: SET(eventOfName, n)
#ifdef OVERFLOW
       :: overflow = 1
#endif
    fi
}
inline tellIn(r) {
    if :: watched & (r) ->
        if :: true ->
            if :: made[1] & (r) -> SET(eventInNode, 1) :: else fi;
            if :: made[2] & (r) -> SET(eventInNode, 2) :: else fi;
#if NODES > 2
            if :: made[3] & (r) -> SET(eventInNode, 3) :: else fi
#endif
#ifdef OVERFLOW
           :: overflow = 1
#endif
        fi
       :: else
    fi
}

// After `sync`: nothing waits, nobody is at work. What is cached is what the union shows.
#define QUIET (!eventOfName && !eventInNode && !overflow && !notifierBusy && !clientBusy[0] && !clientBusy[1])
inline checkName(n) {
    if :: kernel[n] == 0
       :: kernel[n] == MISSING -> assert(SHOWS(n) == 0)
       :: IS_NODE(kernel[n]) ->
        assert(told[n] == kernel[n]);
        assert(SHOWS(n) & made[kernel[n]]);
        assert(SHOWS(n) == made[kernel[n]]);
        if :: kernel[KEY(kernel[n])] == 0
           :: kernel[KEY(kernel[n])] == MISSING -> assert(FIND(SHOWS(n)) == 0)
           :: IS_NODE(kernel[KEY(kernel[n])]) ->
            assert(FIND(SHOWS(n)) == kernel[KEY(kernel[n])]);
            assert(told[KEY(kernel[n])] == kernel[KEY(kernel[n])])
        fi
    fi
}
inline check() {
    if :: QUIET -> checkName(0); checkName(1) :: else fi
}

// ---- a client, and the worker that serves its request ----

inline begin(w) {
    CLEAR(ticked, w); CLEAR(kept, w); CLEAR(outdated, w); CLEAR(earlier, w); CLEAR(renamed, w); SET(looking, w);
    at[w] = d; about[w] = k;
    if :: (looking & BIT(1 - w)) && (ticked & BIT(1 - w)) -> SET(earlier, 1 - w) :: else fi
}
inline ended(w) {
    CLEAR(ticked, w); CLEAR(kept, w); CLEAR(outdated, w); CLEAR(earlier, w); CLEAR(renamed, w); CLEAR(looking, w);
    at[w] = 0; about[w] = 0
}
inline tick(dir) {
    if :: looking & 1 -> SET(ticked, 0); if :: at[0] == dir -> SET(kept, 0) :: else fi :: else fi;
    if :: looking & 2 -> SET(ticked, 1); if :: at[1] == dir -> SET(kept, 1) :: else fi :: else fi
}
#ifdef BUG_OLD_LOOK
#define WRITTEN skip
#else
#define WRITTEN if :: settling == k + 1 -> overtaken = 1 :: else fi
#endif
#define OTHERWISE(w) ((outdated & BIT(w)) || told[k] != 0 && told[k] != a)
inline write(w) {
    WRITTEN;
    if :: a == MISSING && k < 2 -> told[k] = 0
       :: a == MISSING && k >= 2 ->
        if :: told[k] && !listing -> contested[k] = 1 :: else fi
#ifndef BUG_OLD_UNWRITTEN
       // A listing doesn't say what is told otherwise already: it gives that name alone, with no node.
       :: a != MISSING && listing && OTHERWISE(w) -> a = MISSING
       :: a != MISSING && !(listing && OTHERWISE(w)) && (outdated & BIT(w)) ->
        if :: told[k] != a && k >= 2 -> contested[k] = 1 :: else fi
#else
       :: a != MISSING && (outdated & BIT(w))
#endif
       :: else ->
        if :: told[k] == a
           :: told[k] != a ->
#ifndef BUG_NO_CONTESTED
            if :: told[k] != 0 && k >= 2 -> contested[k] = 1 :: else fi;
#endif
            told[k] = a
        fi;
        if :: (looking & BIT(1 - w)) && about[1 - w] == k ->
            if :: earlier & BIT(1 - w) -> SET(outdated, 1 - w) :: else fi
           :: else
        fi
    fi
}
// A node for a directory that the table has no node for. 0: none free; then the request fails.
#define TAKEN(N) (kernel[0] == N || kernel[1] == N || hold[0] == N || hold[1] == N || notifierNode == N)
inline allocate() {
    a = 0;
    if :: !TAKEN(1) -> a = 1
       :: else ->
        if :: !TAKEN(2) -> a = 2
           :: else ->
#if NODES > 2
            if :: !TAKEN(3) -> a = 3 :: else fi
#else
            skip
#endif
        fi
    fi;
    if :: a ->
        if :: made[a] -> free(a) :: else fi;
        made[a] = s; place[a] = k; seen[KEY(a)] = FIND(TRULY(a)); gap[KEY(a)] = 0; watched = watched | s;
        if :: s & complete -> SET(floor, a) :: else fi
       :: else
    fi
}


#ifndef NO_OWN
#define OWN 1
#else
#define OWN 0
#endif
#ifndef NO_LISTING
#define LISTING 1
#else
#define LISTING 0
#endif
#define BEGUN clientBusy[me] = 1
#define INSIDE(n) IS_NODE(kernel[n])
#define ENTER(n) d = kernel[n]; k = KEY(d); hold[me] = d; BEGUN
// What a client may ask: LOOKUP in P; LOOKUP, READDIRPLUS, CREATE and UNLINK in the directory that a name of P denotes.
#define REQUESTS(n) \
    :: atomic { kernel[n] == 0 && !inFlight[n] && !writer[P] -> \
        k = n; d = P; BEGUN; readers[P]++; inFlight[k] = 1; begin(me); printf("client %d: LOOKUP (P,%c)\n", me, 65 + k) } -> goto lookName \
    :: atomic { INSIDE(n) && kernel[KEY(kernel[n])] == 0 && !inFlight[KEY(kernel[n])] && !writer[kernel[n]] -> \
        ENTER(n); readers[d]++; inFlight[k] = 1; begin(me); printf("client %d: LOOKUP (node %d,h)\n", me, d) } -> goto look \
    :: atomic { INSIDE(n) && LISTING && !writer[kernel[n]] -> \
        ENTER(n); readers[d]++; listing = 1; begin(me); printf("client %d: READDIRPLUS (node %d)\n", me, d) } -> goto look \
    :: atomic { INSIDE(n) && OWN && kernel[KEY(kernel[n])] == MISSING && FREE(kernel[n]) -> \
        ENTER(n); writer[d] = 1; pending[k] = 1; printf("client %d: CREATE (node %d,h)\n", me, d) } -> goto create \
    :: atomic { INSIDE(n) && OWN && IS_NODE(kernel[KEY(kernel[n])]) && mountKey != KEY(kernel[n]) + 1 && FREE(kernel[n]) -> \
        ENTER(n); writer[d] = 1; pending[k] = 1; printf("client %d: UNLINK (node %d,h)\n", me, d) } -> goto unlink

#define AGAIN(l) if :: kept & BIT(me) -> a = 0; hold[me] = (k < 2 -> 0 : d); begin(me); goto l :: else fi
#ifdef BUG_NO_KEPT_AT
#define LOOK_AGAIN(l) skip
#else
#define LOOK_AGAIN(l) AGAIN(l)
#endif

inline finish() {
    s = hold[me]; hold[me] = 0; inReply[me] = 0; printf("client %d: done, kernel[%d] = %d\n", me, k, kernel[k]); forget(s);
    k = 0; d = 0; s = 0; a = 0; n = 0; listing = 0; clientBusy[me] = 0;
    check()
}

proctype Client(bit me) {
    byte k, d, s, a, n;
    bit listing;

end:
    do
    REQUESTS(0)
#ifdef RENAME
    REQUESTS(1)
#endif
#ifdef RENAME
    :: atomic { IS_NODE(kernel[0]) && kernel[1] == MISSING && mountKey != 1 && FREE(P) ->
        clientBusy[me] = 1; hold[me] = kernel[0]; writer[P] = 1; pending[0] = 1; pending[1] = 1; renaming = 1; printf("client %d: RENAME (P,A) (P,B), node %d\n", me, hold[me]) } -> goto rename
#endif
#ifndef NO_MOUNT
    :: atomic { !mountedOnce && IS_NODE(kernel[0]) && !writer[P] ->
        if :: IS_NODE(kernel[KEY(kernel[0])]) && !writer[kernel[0]] -> mountNode = kernel[0]; k = KEY(kernel[0])
           :: k = 0
        fi;
        mountedOnce = 1; mountKey = k + 1;
        // A mount in the moment between the decision to drop the name and the drop is lost.
        // So is one on a file that a listing and a LOOKUP have told two things about.
        if :: GAP(k) || contested[k] || k > 1 && GAP(0) || dropping && (dropping == 1 || dropping == k + 1) -> excused = 1 :: else fi;
        printf("client %d: mounts on key %d, object %d, %d\n", me, k, kernel[k], excused); k = 0 }
#endif
#ifndef NO_EVICTION
    :: atomic { kernel[0] && mountKey != 1 && (IS_NODE(kernel[0]) -> kernel[KEY(kernel[0])] == 0 : 1) ->
        printf("kernel: evicts (P,A)\n"); s = kernel[0]; kernel[0] = 0; forget(s); s = 0 }
    :: atomic { IS_NODE(kernel[0]) && kernel[KEY(kernel[0])] && mountKey != KEY(kernel[0]) + 1 ->
        printf("kernel: evicts (node %d,h)\n", kernel[0]); k = KEY(kernel[0]); s = kernel[k]; kernel[k] = 0;
        if :: s == told[k] && !(looking & BIT(1 - me) && about[1 - me] == k) && !inReply[1 - me] -> forgetPlace(k) :: true fi;
        s = 0; k = 0; check() }
#endif
    od;

lookName:
    s = SHOWS(k);
    // One step: nothing is written that isn't told.
    atomic {
        LOOK_AGAIN(lookName);
        if :: s == 0 -> a = MISSING
           :: s && IS_NODE(told[k]) && (s & made[told[k]]) -> a = told[k];
#ifndef BUG_NO_REQUEUE
            if :: s != made[a] -> SET(unsure, a); SET(eventOfName, k) :: else fi
#else
            skip
#endif
           :: else -> allocate()
        fi;
        hold[me] = (a == MISSING -> 0 : a); printf("worker %d: saw made of %d, tells %d\n", me, s, a);
        if :: a -> write(me) :: else fi;
        s = 0;
        ended(me)
    };
    atomic {
        kernel[k] = a; inFlight[k] = 0; readers[P]--;
        finish(); goto end
    };

look:
    // The directory is opened where it stands, place and floor read as one.
    atomic {
        s = BACKS(d); printf("worker %d: opens node %d: %d\n", me, d, s);
        assert(!(s & LOWER) || !(s & UPPER & complete));    // nothing hidden is reached
#ifndef BUG_NO_REQUEUE
        if :: s != made[d] && made[d] -> SET(unsure, d); SET(eventOfName, place[d]) :: else fi
#endif
    };
    atomic {
        a = FIND(s);
        if :: a == 0 && (renaming || (renamed & BIT(me))) -> s = 0; begin(me); goto look
           :: a == 0 && !(renaming || (renamed & BIT(me))) -> a = MISSING
           :: else
        fi;
        s = 0; printf("worker %d: sees %d\n", me, a)
    };
    atomic {
        LOOK_AGAIN(look);
        write(me); printf("worker %d: told[%d] = %d, contested %d\n", me, k, told[k], contested[k]);
        ended(me); inReply[me] = 1
    };
    if :: atomic { listing && !inFlight[k] ->
            // A listing's positive names are taken in even over what a younger LOOKUP told.
            if :: a != MISSING && a != kernel[k] -> drop(k); kernel[k] = a
               :: else
            fi;
            readers[d]--; finish(); goto end }
       :: atomic { !listing -> kernel[k] = a; inFlight[k] = 0; readers[d]--; finish(); goto end }
    fi;

create:
    atomic {
        s = BACKS(d);
        if :: (s & UPPER) && FIND(s) == 0 ->
            IN(s & UPPER) = 1; tellIn(s & UPPER); compare(); a = FIND(s)
           :: else
        fi;
        s = 0
    };
    atomic {
        if :: a ->
            if :: told[k] != 0 && told[k] != a -> contested[k] = 1 :: else fi;
            told[k] = a
           :: else
        fi;
        WRITTEN;
        pending[k] = 0
    };
    atomic { if :: a -> kernel[k] = a :: else fi; writer[d] = 0; finish(); goto end };

unlink:
    atomic {
        s = BACKS(d);
        if :: FIND(s) ->
            a = 1;
            if :: (s & UPPER) && IN(s & UPPER) -> IN(s & UPPER) = ((s & LOWER) && IN(L1) -> HIDDEN : 0); tellIn(s & UPPER)
               :: else -> IN(s & LOWER) = 0; tellIn(s & LOWER)
            fi;
            compare()
           :: else
        fi;
        s = 0
    };
    atomic {
        if :: a -> told[k] = 0; contested[k] = 0 :: else fi;
        WRITTEN;
        pending[k] = 0
    };
    atomic {
        // The kernel drops a name itself that turns out not to exist.
        if :: a -> kernel[k] = MISSING :: else -> drop(k) fi;
        writer[d] = 0; finish(); goto end
    };

#ifdef RENAME
rename:
    // The directory of A goes to B, where a whiteout may be. It must be the upper's alone, and is complete from now on.
    atomic {
        n = hold[me]; s = SHOWS(0);
        if :: (s & made[n]) && !(s & LOWER) && !(complete & s) -> complete = complete | s;
#ifndef BUG_LATE_FLOOR
            SET(floor, n)
#else
            skip
#endif
           :: else -> s = 0
        fi
    };
    atomic {
        if :: s && up[0] == s && SHOWS(1) == 0 ->
            up[1] = s; up[0] = (lo[0] -> WHITEOUT : 0); a = 1; tellName(0); tellName(1); compare()
           :: s && !(up[0] == s && SHOWS(1) == 0) ->
            // It failed: the mark goes, and with it the floor.
            complete = complete & (255 - s); CLEAR(floor, n); tellName(0); tellName(1); compare()
           :: else
        fi;
    };
    atomic {
        if :: a -> told[1] = told[0]; contested[1] = contested[0]; told[0] = 0; contested[0] = 0;
            if :: IS_NODE(told[1]) -> place[told[1]] = 1 :: else fi
           :: else
        fi;
#ifndef BUG_OLD_LOOK
        if :: settling == 1 || settling == 2 -> overtaken = 1 :: else fi;
#endif
        pending[0] = 0; pending[1] = 0;
#ifndef BUG_LATE_FLOOR
        renaming = 0; renamed = renamed | looking
#endif
    };
#ifdef BUG_LATE_FLOOR
    atomic { if :: a -> SET(floor, n) :: else fi; renaming = 0; renamed = renamed | looking };
#endif
    atomic {
        if :: a -> kernel[1] = kernel[0]; kernel[0] = 0 :: else fi;
        writer[P] = 0; finish(); goto end
    };
#endif
}

// ---- the notify thread ----

#ifdef BUG_DROP_ALWAYS
#define DROPS 1
#else
#define DROPS 0
#endif
// A name that no node is told for: whatever the kernel has there by the time that it gets the lock is asked for again.
#ifdef BUG_NO_EXPIRE
#define EXPIRES 1
#else
#define EXPIRES 2
#endif

// The notifier waits for own changes, and nobody waits for the notifier.
#ifdef BUG_NO_PENDING
#define MAY_SETTLE(key) (1 == 1)
#else
#define MAY_SETTLE(key) (pending[key] == 0)
#endif
#define TAKE notifierBusy = 1; notifierNode = N; CLEAR(eventInNode, N); START(KEY(N), N)

// It begins by moving the clock. What is written to the place from then on is younger than the look: it looks again.
#define START(key, dir) gapBefore = gapBefore | gap[key]; gap[key] = 0; tick(dir); settling = key + 1; overtaken = 0
#define OVERTAKEN(key) (overtaken || MAY_SETTLE(key) == 0)
#define DECIDED(key) settling = 0; overtaken = 0; s = 0; gapBefore = 0; if :: away == 1 -> dropping = key + 1 :: else fi

inline settleName() {
    do
    :: atomic { s = SHOWS(n); printf("notifier: (P,%c) shows %d\n", 65 + n, s) };
       if :: atomic { OVERTAKEN(n) -> s = 0 };
             atomic { MAY_SETTLE(n) -> START(n, P) }
          :: atomic { OVERTAKEN(n) == 0 ->
                N = told[n]; printf("notifier: (P,%c) is told as %d, made of %d\n", 65 + n, N, made[(N < GONE -> N : 0)]);
                if :: IS_NODE(N) && !contested[n] && (s & made[N]) && !DROPS ->
                    if :: s != made[N] || all || (unsure & BIT(N)) -> right = 1 :: else fi;
                    CLEAR(unsure, N);
                    made[N] = s; notifierNode = N; compare();
                    if :: s & complete -> SET(floor, N) :: else -> CLEAR(floor, N) fi;
                    unwatch(); away = 0
                   :: !(IS_NODE(N) && !contested[n] && (s & made[N]) && !DROPS) && s == 0 && N == 0 -> away = 0
                   :: else -> away = (N == 0 -> EXPIRES : 1); told[n] = 0; contested[n] = 0
                fi;
                DECIDED(n);
                break }
       fi
    od;
    if :: atomic { away == 2 && FREE(P) -> expire(n); away = 0 }
       :: atomic { away == 1 && FREE(P) -> s = kernel[n]; drop(n); forget(s); s = 0; away = 0; dropping = 0 }
       :: !away
    fi
}

inline settleChild() {
    do
    :: atomic { s = FIND(BACKS(N)); printf("notifier: (node %d,h) is %d\n", N, s) };
       if :: atomic { OVERTAKEN(KEY(N)) -> s = 0 };
             atomic { MAY_SETTLE(KEY(N)) -> START(KEY(N), N) }
          :: atomic { OVERTAKEN(KEY(N)) == 0 ->
                printf("notifier: (node %d,h) is told as %d, contested %d\n", N, told[KEY(N)], contested[KEY(N)]);
                if :: s && told[KEY(N)] == s && !contested[KEY(N)] && !DROPS
                   :: s == 0 && told[KEY(N)] == 0
                   :: else -> away = (told[KEY(N)] == 0 -> EXPIRES : 1); told[KEY(N)] = 0; contested[KEY(N)] = 0
                fi;
                DECIDED(KEY(N));
                break }
       fi
    od;
    if :: atomic { away == 2 && FREE(N) -> expire(KEY(N)); away = 0 }
       :: atomic { away == 1 && FREE(N) -> drop(KEY(N)); away = 0; dropping = 0 }
       :: !away
    fi
}

// Which names are settled where a directory's names are put right: those told, those there, and those about to be told.
#ifdef BUG_NO_MISSING
#define CANDIDATE(key, there) (told[key] != 0 || pending[key])
#elif defined(BUG_PENDING_OVERLOOKED)
#define CANDIDATE(key, there) (told[key] != 0 || (there) != 0)
#else
#define CANDIDATE(key, there) (told[key] != 0 || (there) != 0 || pending[key])
#endif
inline putRight() {
    atomic {
#ifndef BUG_LOOK_BEFORE_WATCH
        watched = watched | made[N];
#endif
#ifndef BUG_NO_TICK
        tick(N)
#endif
    };
    if :: CANDIDATE(KEY(N), FIND(BACKS(N)))
        ->
        atomic { MAY_SETTLE(KEY(N)) -> START(KEY(N), N) };
        settleChild()
       :: else
    fi;
#ifdef BUG_LOOK_BEFORE_WATCH
    watched = watched | made[N];
#endif
}

proctype Notifier() {
    byte n, N, s, away;
    bit right, all;

    notifierBusy = 0;
end:
    do
    :: atomic { overflow -> overflow = 0; notifierBusy = 1; all = 1; tick(P) };
        n = 0;
        do
        :: n < 2 ->
            if :: CANDIDATE(n, SHOWS(n))
                ->
                atomic { MAY_SETTLE(n) -> START(n, P) };
                settleName();
                if :: right -> right = 0; putRight() :: else fi
               :: else
            fi;
            atomic { s = notifierNode; notifierNode = 0; forget(s); s = 0; N = 0; n++ }
        :: n == 2 -> break
        od;
        goto rest
    :: atomic { (eventOfName & 1) && MAY_SETTLE(0) -> n = 0; notifierBusy = 1; CLEAR(eventOfName, n); START(n, P) };
        goto name
    :: atomic { (eventOfName & 2) && MAY_SETTLE(1) -> n = 1; notifierBusy = 1; CLEAR(eventOfName, n); START(n, P) };
name:
        settleName();
        if :: right -> right = 0; putRight() :: else fi;
        goto rest
    :: atomic { (eventInNode & 2) && MAY_SETTLE(KEY(1)) -> N = 1; TAKE };
        goto inNode
    :: atomic { (eventInNode & 4) && MAY_SETTLE(KEY(2)) -> N = 2; TAKE };
#if NODES > 2
        goto inNode
    :: atomic { (eventInNode & 8) && MAY_SETTLE(KEY(3)) -> N = 3; TAKE };
#endif
inNode:
        settleChild();
        goto rest
#ifdef FROZEN
    :: break
#endif
    od;
#ifdef FROZEN
    goto frozen;
#endif
rest:
    atomic {
        s = notifierNode; notifierNode = 0; forget(s);
        n = 0; N = 0; s = 0; all = 0; right = 0; away = 0; notifierBusy = 0;
        check()
    };
    goto end;
#ifdef FROZEN
frozen:
    notifierBusy = 1;
endFrozen:
    false
#endif
}

// ---- strangers, who change the layers ----

inline changed() { changes++; printf("stranger: A %d/%d, B %d/%d, h %d %d %d\n", up[0], lo[0], up[1], lo[1], h[0], h[1], h[2]); compare(); check() }

proctype Stranger() {
    do
    :: atomic { changes < CHANGES ->
        if
#ifndef FIXED
        :: up[0] != 0 -> up[0] = 0; tellName(0)
        :: up[0] != U1 && up[1] != U1 -> up[0] = U1; tellName(0)
        :: up[0] != U2 && up[1] != U2 -> up[0] = U2; tellName(0)
        :: lo[0] != 0 -> lo[0] = 0; tellName(0)
        :: lo[0] == 0 && lo[1] == 0 -> lo[0] = L1; tellName(0)
#ifdef RENAME
        :: up[1] != 0 -> up[1] = 0; tellName(1)
        :: up[1] != WHITEOUT -> up[1] = WHITEOUT; tellName(1)
#endif
        :: h[2] == 0 -> h[2] = 1; tellIn(L1)
        :: h[2] != 0 -> h[2] = 0; tellIn(L1)
        :: h[1] == 0 -> h[1] = 1; tellIn(U2)
        :: h[1] != 0 -> h[1] = 0; tellIn(U2)
#endif
        :: h[0] == 0 -> h[0] = 1; tellIn(U1)
        :: h[0] != 0 -> h[0] = 0; tellIn(U1)
        :: h[0] == 1 -> h[0] = 2; tellIn(U1)
        fi;
        changed() }
    :: changes >= CHANGES -> break
    od
}

init {
    atomic {
        up[0] = U1;
        if :: h[0] = 0 :: h[0] = 1 fi;
#ifdef RENAME
        up[1] = WHITEOUT; lo[1] = L1; h[2] = 1;
#else
        if :: h[2] = 0 :: h[2] = 1 fi;
#endif
        // The directory is known from before, as most are.
        kernel[0] = 1; told[0] = 1; made[1] = U1; watched = U1; compare();
        run Notifier(); run Client(0); run Client(1); run Stranger()
    }
}
