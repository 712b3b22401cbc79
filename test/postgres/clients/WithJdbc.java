import java.io.StringReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Timer;
import java.util.TimerTask;
import org.postgresql.PGConnection;

/** What JDBC asks of a database, in the ways that it has; prints what it got, a line each. */
public class WithJdbc {
  public static void main(String[] arguments) throws Exception {
    try (Connection db = DriverManager.getConnection(arguments[0])) {
      try (Statement statement = db.createStatement()) {
        say("simple", one(statement.executeQuery("SELECT 1")));
      }
      // From the fifth time on it is prepared by name, and results come in binary.
      int sum = 0;
      try (PreparedStatement prepared = db.prepareStatement("SELECT ?::int * 2, now(), 'x'::text")) {
        for (int n = 0; n < 12; n++) {
          prepared.setInt(1, n);
          sum += Integer.parseInt(one(prepared.executeQuery()));
        }
      }
      say("prepared", sum);
      try (Statement statement = db.createStatement()) {
        statement.execute("CREATE TEMP TABLE t (n int)");
      }
      try (PreparedStatement batch = db.prepareStatement("INSERT INTO t VALUES (?)")) {
        for (int n = 0; n < 500; n++) {
          batch.setInt(1, n);
          batch.addBatch();
        }
        say("batch", batch.executeBatch().length);
      }
      long copied = db.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY t FROM STDIN", new StringReader("7\n8\n"));
      say("copied", copied);
      db.setAutoCommit(false);
      int rows = 0;
      try (Statement statement = db.createStatement()) {
        statement.setFetchSize(50);
        try (ResultSet result = statement.executeQuery("SELECT generate_series(1, 777)")) {
          while (result.next()) rows++;
        }
      }
      db.commit();
      db.setAutoCommit(true);
      say("fetched", rows);
      try (Statement statement = db.createStatement()) {
        statement.executeUpdate("DELETE FROM t");
        say("denied", "no");
      } catch (SQLException error) {
        say("denied", error.getSQLState());
      }
      try (Statement statement = db.createStatement()) {
        say("after", one(statement.executeQuery("SELECT count(*) FROM t")));
        new Timer(true).schedule(new TimerTask() {
          @Override
          public void run() {
            try {
              statement.cancel();
            } catch (SQLException error) {
              say("cancel", error.getMessage());
            }
          }
        }, 500);
        statement.executeQuery("SELECT count(*) FROM generate_series(1, 10000000000)");
        say("cancelled", "no");
      } catch (SQLException error) {
        say("cancelled", error.getSQLState());
      }
      try {
        db.setAutoCommit(false);
        db.unwrap(PGConnection.class).getLargeObjectAPI().createLO();
        say("large object", "made");
      } catch (SQLException error) {
        say("large object", error.getSQLState());
      }
    }
  }

  private static String one(ResultSet result) throws SQLException {
    try (result) {
      result.next();
      return result.getString(1);
    }
  }

  private static void say(String what, Object value) {
    System.out.println(what + "=" + value);
  }
}
