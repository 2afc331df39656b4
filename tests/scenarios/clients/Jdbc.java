// JDBC's own ways through the protocol: extended and simple mode, statements prepared at
// the server, cursors by fetch size, batches, binary values, COPY, cancel, notifications.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;

public class Jdbc {
  static final String SSN = System.getenv("SSN");
  static final String CARD = System.getenv("CARD");
  static final boolean REFUSES = System.getenv("REFUSES") != null;

  interface Action {
    void run() throws SQLException;
  }

  static void expect(boolean holds, String message) {
    if (!holds) throw new AssertionError(message);
  }

  static void failsWith(String state, String part, Action action) {
    try {
      action.run();
    } catch (SQLException error) {
      expect(state.equals(error.getSQLState()) && error.getMessage().contains(part),
          state + " was expected: " + error.getSQLState() + " " + error.getMessage());
      return;
    }
    throw new AssertionError(state + " was expected, and all went well");
  }

  static Connection connect(String... options) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("password", System.getenv("PGPASSWORD"));
    properties.setProperty("sslmode", "disable");
    for (String option : options) {
      properties.setProperty(option.split("=")[0], option.split("=")[1]);
    }
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/shop", properties);
  }

  static String one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      expect(rows.next(), sql + " gave no row");
      return rows.getString(1);
    }
  }

  static void statements(Connection connection) throws SQLException {
    expect(one(connection, "SELECT 'plain'").equals("plain"), "a plain statement");
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1; SELECT 2");
      expect(statement.getMoreResults(), "the second of two results");
    }
    try (PreparedStatement statement = connection.prepareStatement(
             "SELECT id, name, ssn, card, photo, balance FROM people WHERE id >= ? ORDER BY id LIMIT 2")) {
      for (int id = 1; id <= 20; ++id) {
        statement.setInt(1, id);
        try (ResultSet rows = statement.executeQuery()) {
          expect(rows.next() && rows.getInt(1) == id, "the row of " + id);
          expect(rows.getString(2).equals("name " + id), "name " + rows.getString(2));
          expect(SSN.equals(rows.getString(3)), "ssn " + rows.getString(3));
          expect(CARD.equals(rows.getString(4)), "card " + rows.getString(4));
          expect(Arrays.equals(rows.getBytes(5), new byte[] {0, (byte) id, -1}), "photo");
          expect(rows.getBigDecimal(6).compareTo(new BigDecimal(id).divide(new BigDecimal(8))) == 0, "balance");
        }
      }
    }
    failsWith("22012", "", () -> one(connection, "SELECT 1 / 0"));
    if (REFUSES) {
      failsWith("42501", "rule nothing is deleted, record ", () -> one(connection, "DELETE FROM people RETURNING id"));
      failsWith("42501", "rule nothing is deleted, record ", () -> {
        try (PreparedStatement statement = connection.prepareStatement("DELETE FROM people WHERE id = ?")) {
          statement.setInt(1, 1);
          statement.execute();
        }
      });
    }
    expect(one(connection, "SELECT count(*) FROM people").equals("100"), "rows are gone");
  }

  static void transactions(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE TEMPORARY TABLE kept (n int)");
      connection.commit();
      statement.execute("INSERT INTO kept VALUES (1)");
      connection.rollback();
      expect(one(connection, "SELECT count(*) FROM kept").equals("0"), "a rolled back row");
      Savepoint before = connection.setSavepoint();
      failsWith("22012", "", () -> statement.execute("SELECT 1 / 0"));
      failsWith("25P02", "", () -> statement.execute("SELECT 1"));
      connection.rollback(before);
      if (REFUSES) {
        before = connection.setSavepoint();
        failsWith("42501", "record", () -> statement.execute("DELETE FROM people"));
        failsWith("25P02", "", () -> statement.execute("SELECT 1"));
        connection.rollback(before);
      }
      statement.execute("INSERT INTO kept VALUES (2)");
      connection.commit();
      expect(one(connection, "SELECT sum(n) FROM kept").equals("2"), "a savepoint");
    }
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(7);
      int seen = 0;
      try (ResultSet rows = statement.executeQuery("SELECT id, ssn FROM people ORDER BY id")) {
        while (rows.next()) {
          expect(rows.getInt(1) == ++seen && SSN.equals(rows.getString(2)), "row " + seen + " of a cursor");
        }
      }
      expect(seen == 100, "a cursor brought " + seen + " rows");
    }
    try (PreparedStatement statement = connection.prepareStatement("INSERT INTO kept VALUES (?)")) {
      for (int n = 0; n < 300; ++n) {
        statement.setInt(1, n);
        statement.addBatch();
      }
      expect(statement.executeBatch().length == 300, "a batch");
    }
    connection.commit();
    connection.setAutoCommit(true);
    expect(one(connection, "SELECT count(*) FROM kept").equals("301"), "a batch lost rows");
  }

  static void copies(Connection connection) throws Exception {
    CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
    try (Statement statement = connection.createStatement()) {
      statement.execute("TRUNCATE kept");
    }
    StringBuilder lines = new StringBuilder();
    for (int n = 0; n < 5000; ++n) lines.append(n).append('\n');
    expect(copy.copyIn("COPY kept FROM STDIN", new StringReader(lines.toString())) == 5000, "COPY in");
    StringWriter out = new StringWriter();
    copy.copyOut("COPY (SELECT n FROM kept ORDER BY n) TO STDOUT", out);
    expect(out.toString().equals(lines.toString()), "COPY brought other rows back");
    out = new StringWriter();
    copy.copyOut("COPY (SELECT card FROM people WHERE id = 1) TO STDOUT", out);
    expect(out.toString().trim().equals(CARD), "COPY showed " + out);
  }

  static void cancel(Connection connection) throws Exception {
    try (Statement statement = connection.createStatement()) {
      Thread other = new Thread(() -> {
        try {
          while (true) {
            Thread.sleep(100);
            statement.cancel();
          }
        } catch (SQLException | InterruptedException over) {
          // The statement is done.
        }
      });
      other.start();
      failsWith("57014", "", () -> statement.execute("SELECT pg_sleep(60)"));
      other.interrupt();
      other.join();
    }
    expect(one(connection, "SELECT 'goes on'").equals("goes on"), "after a cancel");
  }

  static void notifications(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("LISTEN news");
      statement.execute("NOTIFY news, 'hello'");
    }
    PGNotification[] came = connection.unwrap(PGConnection.class).getNotifications(5000);
    expect(came != null && came.length == 1 && came[0].getParameter().equals("hello"), "no notification");
  }

  public static void main(String[] arguments) throws Exception {
    String[][] modes = {{}, {"prepareThreshold=1", "binaryTransfer=true"}, {"prepareThreshold=-1"},
        {"preferQueryMode=simple"}, {"reWriteBatchedInserts=true"}};
    for (String[] mode : modes) {
      try (Connection connection = connect(mode)) {
        statements(connection);
        transactions(connection);
        copies(connection);
        notifications(connection);
        cancel(connection);
      } catch (Throwable failure) {
        throw new AssertionError("with " + Arrays.toString(mode), failure);
      }
    }
  }
}
