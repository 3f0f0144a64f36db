"""Clients that lock a file from two sides: locks.py CASE HERE THERE [NUMBER]

HERE and THERE are two ways to one directory, which holds the files f and g. What comes out is printed, and must
be the same whichever ways they are.
"""
import errno, fcntl, os, signal, sqlite3, struct, sys, threading, time

OFD_SETLK, OFD_SETLKW = 37, 38
READ, WRITE, FREE = fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK
LAYOUT = "hhqqi4x"


def opened(place, name="f", flags=os.O_RDWR):
    return os.open(os.path.join(place, name), flags)


def set_lock(file, command, kind=WRITE, start=0, length=0):
    fcntl.fcntl(file, command, struct.pack(LAYOUT, kind, 0, start, length, 0))


def lock(kind, file, waits=False):
    """Takes the whole file."""
    if kind == "flock":
        fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    elif kind == "posix":
        set_lock(file, fcntl.F_SETLKW if waits else fcntl.F_SETLK)
    else:
        set_lock(file, OFD_SETLKW if waits else OFD_SETLK)


def share(kind, file):
    if kind == "flock":
        fcntl.flock(file, fcntl.LOCK_SH)
    else:
        set_lock(file, fcntl.F_SETLKW if kind == "posix" else OFD_SETLKW, READ)


def unlock(kind, file):
    if kind == "flock":
        fcntl.flock(file, fcntl.LOCK_UN)
    else:
        set_lock(file, fcntl.F_SETLK if kind == "posix" else OFD_SETLK, FREE)


def outcome(action):
    try:
        action()
        return "ok"
    except OSError as error:
        return "EDEADLK" if error.errno == errno.EDEADLK else errno.errorcode[error.errno]


class Child:
    """A process that runs an action and tells what came of it."""

    def __init__(self, action):
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            told = action()
            os.write(writing, str(told).encode())
            os._exit(0)
        os.close(writing)
        self.answer = reading

    def end(self):
        with os.fdopen(self.answer) as answer:
            told = answer.read()
        os.waitpid(self.pid, 0)
        return told

    def until_blocked(self):
        """Returns when the process is in fcntl or flock."""
        while True:
            call = open(f"/proc/{self.pid}/syscall").read().split()[0]
            state = open(f"/proc/{self.pid}/stat").read().rsplit(")")[1].split()[0]
            if call in ("72", "73", "25", "32") and state in "SD":
                return
            time.sleep(0.001)


def other(action):
    return Child(lambda: outcome(action)).end()


def excluded(here, there):
    for kind in ("flock", "posix", "ofd"):
        file = opened(here)
        lock(kind, file)
        print(kind, "held:", other(lambda: lock(kind, opened(there))))
        os.close(file)
        # The last close of an open file is told later: who is beside the union may have to wait a moment.
        print(kind, "closed:", other(lambda: lock(kind, opened(there), waits=True)))
    file = opened(here)
    lock("posix", file, waits=True)
    print("ofd against posix:", other(lambda: lock("ofd", opened(there))))


def ranges(here, there):
    file = opened(here)
    set_lock(file, fcntl.F_SETLK, WRITE, 10, 10)

    def tries():
        mine = opened(there)
        spans = ((0, 10), (5, 6), (15, 1), (19, 5), (20, 0))
        return [
            outcome(lambda: set_lock(mine, fcntl.F_SETLK, kind, *span)) for kind in (READ, WRITE) for span in spans
        ]

    print("held:", Child(tries).end())
    set_lock(file, fcntl.F_SETLK, READ, 10, 10)
    print("downgraded:", Child(tries).end())
    set_lock(file, fcntl.F_SETLK, WRITE, 12, 2)
    print("upgraded in part:", Child(tries).end())
    set_lock(file, fcntl.F_SETLK, FREE, 10, 5)
    print("freed in part:", Child(tries).end())


def conversions(here, there):
    file = opened(here)
    fcntl.flock(file, fcntl.LOCK_SH)
    shared = fcntl.LOCK_SH | fcntl.LOCK_NB
    print("shared beside shared:", other(lambda: fcntl.flock(opened(there, flags=os.O_RDONLY), shared)))
    fcntl.flock(file, fcntl.LOCK_EX)
    print("shared beside exclusive:", other(lambda: fcntl.flock(opened(there), shared)))
    fcntl.flock(file, fcntl.LOCK_SH)
    print("shared again:", other(lambda: fcntl.flock(opened(there), shared)))
    fcntl.flock(file, fcntl.LOCK_UN)
    print("free:", other(lambda: lock("flock", opened(there))))
    reader, writer = opened(here, flags=os.O_RDONLY), opened(here)
    set_lock(reader, fcntl.F_SETLK, READ, 0, 10)
    set_lock(writer, fcntl.F_SETLK, WRITE, 5, 10)
    print("by two descriptors:", [
        other(lambda: set_lock(opened(there), fcntl.F_SETLK, kind, start, 1)) for kind in (READ, WRITE) for start in (1, 7, 20)
    ])


def closes(here, there):
    def state():
        return other(lambda: lock("posix", opened(there)))

    file = opened(here)
    lock("posix", file)
    os.close(opened(here, flags=os.O_RDONLY))
    print("posix, another descriptor closed:", state())
    lock("posix", file)
    os.close(os.dup(file))
    print("posix, a copy closed:", state())
    lock("ofd", file)
    os.close(opened(here))
    print("ofd, another descriptor closed:", other(lambda: lock("ofd", opened(there))))
    copy = os.dup(file)
    os.close(file)
    print("ofd, one copy closed:", other(lambda: lock("ofd", opened(there))))
    os.close(copy)
    print("ofd, all closed:", other(lambda: lock("ofd", opened(there), waits=True)))

    file = opened(here)
    lock("flock", file)
    go_on, end = os.pipe()

    def keeps():
        os.close(end)
        os.read(go_on, 1)

    heir = Child(keeps)
    os.close(file)
    print("flock, a child has it:", other(lambda: lock("flock", opened(there))))
    os.close(end)
    heir.end()
    print("flock, no one has it:", other(lambda: lock("flock", opened(there), waits=True)))

    def exits():
        lock("posix", opened(here))
        lock("flock", opened(here, "g"))

    Child(exits).end()
    print("exited:", state(), other(lambda: lock("flock", opened(there, "g"), waits=True)))


def waits(here, there):
    for kind in ("flock", "posix", "ofd"):
        file = opened(here)
        lock(kind, file)

        def waiting():
            os.close(file)
            return outcome(lambda: lock(kind, opened(there), waits=True))

        child = Child(waiting)
        child.until_blocked()
        os.close(file)
        print(kind, "waited for:", child.end())


def interrupted(here, there):
    for kind in ("flock", "posix", "ofd"):
        file = opened(there)
        lock(kind, file)

        class Alarm(Exception):
            pass

        def waiting():
            def raised(*_):
                raise Alarm

            os.close(file)
            signal.signal(signal.SIGUSR1, raised)
            try:
                lock(kind, opened(here), waits=True)
            except Alarm:
                return "interrupted"

        child = Child(waiting)
        child.until_blocked()
        os.kill(child.pid, signal.SIGUSR1)
        print(kind, child.end())
        child = Child(waiting)
        child.until_blocked()
        os.kill(child.pid, signal.SIGKILL)
        print(kind, "killed:", child.end())
        os.close(file)
        print(kind, "afterwards:", other(lambda: lock(kind, opened(there), waits=True)))


def deadlock(here, there):
    """Two processes that lock f and g in turn, and then each the other's."""

    def party(place, mine, its, ready, go):
        first, second = opened(place, mine), opened(place, its)
        lock("posix", first)
        os.write(ready, b"r")
        os.read(go, 1)
        return outcome(lambda: lock("posix", second, waits=True))

    counted, ready = os.pipe()
    gates = [os.pipe() for _ in range(2)]
    one = Child(lambda: party(here, "f", "g", ready, gates[0][0]))
    two = Child(lambda: party(there, "g", "f", ready, gates[1][0]))
    while len(os.read(counted, 1)) and len(os.read(counted, 1)) == 0:
        pass
    os.write(gates[0][1], b"g")
    one.until_blocked()
    os.write(gates[1][1], b"g")
    print("deadlock:", sorted([one.end(), two.end()]))


def no_deadlock(here, there):
    """The locks of open files are never in one: another thread may free them."""
    files = {name: opened(here, name) for name in "fg"}
    for file in files.values():
        lock("ofd", file)
    others = {name: opened(there, name) for name in "fg"}
    told = []

    def wait(name):
        told.append(outcome(lambda: lock("ofd", others[name], waits=True)))

    threads = [threading.Thread(target=wait, args=name) for name in "fg"]
    for thread in threads:
        thread.start()
    for file in files.values():
        os.close(file)
    for thread in threads:
        thread.join()
    print("open files:", told)


def crowd(here, there, number):
    """Many who wait at once, while others use the directory."""
    file = opened(here)
    lock("flock", file)
    done = []

    def wait():
        mine = opened(here)
        lock("flock", mine, waits=True)
        os.close(mine)
        done.append(1)

    threading.stack_size(128 * 1024)
    threads = [threading.Thread(target=wait) for _ in range(number)]
    for thread in threads:
        thread.start()
    tasks = f"/proc/{os.getpid()}/task"
    while sum(open(f"{tasks}/{task}/syscall").read().split()[0] in ("73", "32") for task in os.listdir(tasks)) < number:
        time.sleep(0.01)
    with open(os.path.join(here, "new"), "w") as new:
        new.write("text")
    print("meanwhile:", open(os.path.join(here, "new")).read(), sorted(os.listdir(here)))
    os.close(file)
    for thread in threads:
        thread.join()
    print("got it:", len(done))


def released(here, there, number):
    """Who asks right after a close, or an exit, gets the lock."""

    def is_refused(kind):
        mine = opened(here)
        told = outcome(lambda: lock(kind, mine))
        os.close(mine)
        return told != "ok"

    failures = 0
    for _ in range(number):
        for kind in ("flock", "ofd"):
            failures += is_refused(kind)
        Child(lambda: lock("flock", opened(here))).end()
        failures += is_refused("flock")
    print("failures:", failures)


def who(here, there):
    file = opened(here)
    set_lock(file, fcntl.F_SETLK, WRITE, 3, 4)

    def asks():
        answer = fcntl.fcntl(opened(there), fcntl.F_GETLK, struct.pack(LAYOUT, READ, 0, 0, 0, 0))
        kind, whence, start, length, pid = struct.unpack(LAYOUT, answer)
        holder = "the holder" if pid == os.getppid() else pid
        return kind == WRITE, whence, start, length, holder

    print("in the way:", Child(asks).end())
    set_lock(file, fcntl.F_SETLK, FREE)

    def free():
        answer = fcntl.fcntl(opened(there), fcntl.F_GETLK, struct.pack(LAYOUT, WRITE, 0, 0, 0, 0))
        return struct.unpack(LAYOUT, answer)[0] == FREE

    print("free:", Child(free).end())


def counter(here, there, number):
    """Processes on both sides that add one, each kind of lock in turn."""
    for kind in ("flock", "posix", "ofd"):
        file = opened(here)
        os.pwrite(file, b"%010d" % 0, 0)
        os.close(file)

        def adds(place):
            for _ in range(number):
                mine = opened(place)
                lock(kind, mine, waits=True)
                os.pwrite(mine, b"%010d" % (int(os.pread(mine, 10, 0)) + 1), 0)
                os.close(mine)

        sides = [Child(lambda: adds(place)) for place in (here, there)]
        for side in sides:
            side.end()
        print(kind, "counted:", int(os.pread(opened(there), 10, 0)) - 2 * number)


def sizes(here, there, number):
    """Who gets a lock sees the size that the one before has left, though it has looked at the file before."""
    for kind in ("flock", "posix", "ofd"):
        reader = os.open(os.path.join(here, "f"), os.O_RDONLY)
        writer = opened(there)
        wrong = 0
        for n in range(number):
            before = os.fstat(reader).st_size
            lock(kind, writer, waits=True)
            os.pwrite(writer, b"x", before)
            unlock(kind, writer)
            share(kind, reader)
            wrong += os.fstat(reader).st_size != before + 1
            unlock(kind, reader)
        print(kind, "wrong sizes:", wrong)
        os.close(reader)
        os.close(writer)
    wrong = 0
    for n in range(number):
        before = os.stat(os.path.join(here, "f")).st_size
        with open(os.path.join(there, "f"), "ab") as writer:
            writer.write(b"x")
        mine = opened(here)
        wrong += os.fstat(mine).st_size != before + 1
        os.close(mine)
    print("wrong sizes of what is opened for writing:", wrong)


def database(here, there, number, journal):
    def connect(place):
        connection = sqlite3.connect(os.path.join(place, "db"), timeout=120, isolation_level=None)
        connection.execute("pragma synchronous=off")
        return connection

    setup = connect(here)
    mode = setup.execute(f"pragma journal_mode={journal}").fetchone()[0]
    setup.execute("create table t(who text, n integer)")
    setup.close()

    def inserts(place):
        connection = connect(place)
        for n in range(number):
            connection.execute("begin immediate")
            connection.execute("insert into t values(?, ?)", (str(os.getpid()), n))
            connection.execute("commit")
        connection.close()
        return "ok"

    sides = [Child(lambda: inserts(place)) for place in (here, there, here, there)]
    print("journal:", mode, [side.end() for side in sides])
    for place in (here, there):
        check = connect(place)
        print(check.execute("select count(*) from t").fetchone()[0] - 4 * number, check.execute("pragma integrity_check").fetchone()[0])
        check.close()


case, here, there, *rest = sys.argv[1:]
sys.stdout.reconfigure(line_buffering=True)
globals()[case](here, there, *[int(word) if word.isdigit() else word for word in rest])
