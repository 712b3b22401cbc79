"""What psycopg 3 asks of a database, in the ways that it has; prints what it got as one JSON object."""
import json
import sys
import threading
import time

import psycopg

got = {}
with psycopg.connect(sys.argv[1], autocommit=True) as db:
    got["simple"] = db.execute("SELECT 1").fetchone()[0]
    got["extended"] = db.execute("SELECT %s::int + 1", (1,)).fetchone()[0]
    got["binary"] = list(db.cursor(binary=True).execute("SELECT 7, 'x', ARRAY[1, 2], 1.5::numeric").fetchone()[:3])
    # It prepares by itself what it is asked often.
    got["prepared"] = sum(db.execute("SELECT %s::int", (n,), prepare=True).fetchone()[0] for n in range(20))
    with db.pipeline():
        cursors = [db.execute("SELECT %s::int", (n,)) for n in range(5)]
    got["pipeline"] = [cursor.fetchone()[0] for cursor in cursors]
    db.execute("CREATE TEMP TABLE t (n int)")
    with db.cursor().copy("COPY t FROM STDIN") as copy:
        for n in range(1000):
            copy.write_row((n,))
    with db.cursor().copy("COPY t TO STDOUT") as copy:
        got["copied"] = sum(int(row[0]) for row in copy.rows())
    with db.transaction():
        with db.cursor("by_parts") as cursor:
            cursor.itersize = 10
            cursor.execute("SELECT generate_series(1, 100)")
            got["cursor"] = sum(row[0] for row in cursor)
    try:
        with db.pipeline():
            before = db.execute("SELECT 1")
            db.execute("DELETE FROM t")
        got["denied"] = "no"
    except psycopg.errors.InsufficientPrivilege as error:
        got["denied"] = str(error).splitlines()[0]
    got["after"] = db.execute("SELECT count(*) FROM t").fetchone()[0]

    def cancel():
        time.sleep(0.5)
        db.cancel_safe()

    threading.Thread(target=cancel).start()
    try:
        db.execute("SELECT count(*) FROM generate_series(1, 10000000000)")
        got["cancelled"] = False
    except psycopg.errors.QueryCanceled:
        got["cancelled"] = True
    db.execute("LISTEN news")
    db.execute("NOTIFY news, 'hello'")
    got["heard"] = next(db.notifies(timeout=20)).payload
print(json.dumps(got, default=str))
