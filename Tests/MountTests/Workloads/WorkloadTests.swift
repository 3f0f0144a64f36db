import SwitchTestKit
import Testing

/// Real programs on the mount, with their files in the upper and in a lower.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct WorkloadTests {
    @Test(.enabled(if: Machine.hasProgram("git"), "needs git"), arguments: ["upper", "lower"])
    func git(place: String) throws {
        try withScratch { scratch throws in
            let source = try scratch.directory("source")
            let identity = "-c user.name=t -c user.email=t@example.org -c init.defaultBranch=main"
            try shell(
                """
                set -e
                git \(identity) init -q .
                for i in $(seq 200); do mkdir -p d$((i % 10)); echo "file $i" >d$((i % 10))/f$i; done
                git add . && git \(identity) commit -qm one
                for i in $(seq 100); do echo more >>d$((i % 10))/f$i; done
                git \(identity) commit -qam two
                """, in: source
            ).orThrow()
            let (upper, lower) = (try scratch.directory("upper"), try scratch.directory("lower"))
            if place == "lower" {
                try run("git", "clone", "-q", "--no-hardlinks", source.text, (lower / "clone").text).orThrow()
            }
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                let clone = union["clone"]
                if place == "upper" {
                    try run("git", "clone", "-q", "--no-hardlinks", source.text, clone.text).orThrow()
                }
                #expect(try run("git", "status", "--porcelain", in: clone).orThrow().output == "")
                try shell(
                    """
                    set -e
                    for i in $(seq 50); do echo again >>d$((i % 10))/f$i; done
                    echo new >d1/new && git mv d2/f2 d2/renamed && git rm -qf d3/f3
                    git add . && git \(identity) commit -qam three
                    git checkout -q -b side HEAD~1 && git checkout -q -
                    git gc -q && git fsck --strict
                    """, in: clone
                ).orThrow()
                #expect(try run("git", "status", "--porcelain", in: clone).orThrow().output == "")
                let differences = try run("diff", "-r", "-x", ".git", source.text, clone.text)
                #expect(differences.errors == "")
            }
        }
    }

    @Test(
        .enabled(if: Machine.hasProgram("sqlite3"), "needs sqlite3"), arguments: ["upper", "lower"],
        ["delete", "wal", "truncate"])
    func sqlite(place: String, journal: String) throws {
        try withUnion { union throws in
            if place == "lower" { try Sys.put(union.inLower("db"), "") }
            let database = union["db"].text
            let script = """
                set -e
                sqlite3 \(database) 'pragma journal_mode=\(journal); create table t(a integer primary key, b text);'
                for round in 1 2 3 4 5; do
                    sqlite3 \(database) "pragma synchronous=normal; begin;
                        with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
                        insert into t(b) select 'row ' || i || ' of round $round' from n; commit;
                        update t set b = b || '!' where a % 7 = 0; delete from t where a % 11 = 0;"
                done
                for i in $(seq 20); do sqlite3 \(database) "insert into t(b) values ('single $i')"; done
                sqlite3 \(database) 'pragma integrity_check; select count(*) from t;'
                """
            let lines = try shell(script, within: 300).orThrow().output.split(separator: "\n").map(
                String.init)
            #expect(lines.dropLast().last == "ok")
            #expect((Int(lines.last ?? "") ?? 0) > 8000)
            if place == "lower" { #expect(!Sys.exists(union.inUpper("db"))) }
            let real = place == "lower" ? union.inLower("db") : union.inUpper("db")
            #expect(try run("sqlite3", real.text, "pragma integrity_check").output == "ok\n")
        }
    }

    @Test(
        .enabled(if: PostgreSQL.folder != nil, "needs PostgreSQL's server and its user postgres"),
        .timeLimit(.minutes(4)), arguments: ["upper", "lower"])
    func postgreSQL(place: String) throws {
        let postgres = try #require(PostgreSQL(), "needs PostgreSQL")
        try withScratch { scratch throws in
            let (upper, lower) = (try scratch.directory("upper"), try scratch.directory("lower"))
            let home = place == "upper" ? upper : lower
            try Sys.makeDirectory(home / "pg")
            try Sys.changeOwner(home / "pg", uid: postgres.user.uid, gid: postgres.user.gid)
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                let data = union["pg/data"]
                let initialised = place == "upper" ? data : lower / "pg/data"
                try postgres.run("initdb", "-D", initialised.text, "-N", "-A", "trust").orThrow()
                try postgres.start(data, socket: union["pg"], log: scratch.root / "pg.log")
                defer { _ = try? postgres.run("pg_ctl", "-D", data.text, "-m", "immediate", "stop") }
                let database = ["-h", union["pg"].text, "postgres"]
                try postgres.run(["pgbench", "-i", "-q", "-s", "1"] + database).orThrow()
                let bench = try postgres.run(["pgbench", "-c", "4", "-j", "2", "-T", "3"] + database)
                    .orThrow()
                #expect(bench.output.contains("number of failed transactions: 0"), "\(bench.output)")
                try postgres.run(["psql", "-q", "-c", "vacuum full", "-c", "checkpoint"] + database)
                    .orThrow()
                try postgres.run("pg_ctl", "-D", data.text, "-m", "fast", "-w", "stop").orThrow()
            }
        }
    }
}

/// A PostgreSQL installation.
private struct PostgreSQL {
    let user: Identity

    static let folder: TestPath? = {
        let versions = ((try? Sys.names("/usr/lib/postgresql")) ?? []).map {
            "/usr/lib/postgresql" / $0 / "bin"
        }
        return versions.last { Sys.exists($0 / "initdb") && Sys.exists($0 / "pgbench") }
    }()

    init?() {
        guard let line = try? SwitchTestKit.run("getent", "passwd", "postgres").orThrow().output else {
            return nil
        }
        let fields = line.split(separator: ":")
        guard fields.count > 3, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
        user = Identity(uid: uid, gid: gid)
    }

    func run(_ arguments: String...) throws -> Finished {
        try run(arguments)
    }

    func run(_ arguments: [String]) throws -> Finished {
        let program = (Self.folder ?? "") / TestPath(arguments[0])
        return try SwitchTestKit.run(
            [program.text] + arguments.dropFirst(), in: "/", as: user, within: 300)
    }

    func start(_ data: TestPath, socket: TestPath, log: TestPath) throws {
        try Sys.touch(log)
        try Sys.changeOwner(log, uid: user.uid, gid: user.gid)
        let options = "-c listen_addresses='' -c unix_socket_directories='\(socket)'"
        try run("pg_ctl", "-D", data.text, "-l", log.text, "-o", options, "-w", "start").orThrow()
    }
}
