// Gets a URL with a bearer token by both clients of Java.
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Get {
    public static void main(String[] args) throws Exception {
        URI uri = URI.create(args[0]);
        String authorization = "Bearer " + System.getenv("API_TOKEN");
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setRequestProperty("Authorization", authorization);
        System.out.print(connection.getResponseCode() + " " + new String(connection.getInputStream().readAllBytes()) + " ");
        HttpRequest request = HttpRequest.newBuilder(uri).header("Authorization", authorization).build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.print(response.version() + " " + response.statusCode() + " " + response.body());
    }
}
