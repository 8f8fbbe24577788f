import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/**
 * Java's own client with its defaults: it prefers HTTP/2 and so offers h2c with each request.
 *
 * Arguments: base address, API key, path and cookie of a key to rename. Prints the status and the
 * body of each answer.
 */
class Client {
  public static void main(String[] arguments) throws Exception {
    var base = arguments[0];
    var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
    var json = "{\"model\":\"m\",\"messages\":[]}";
    var form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--\r\n";
    BodyPublisher[] bodies = {
      BodyPublishers.ofString(json),
      BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(json.getBytes())),
      BodyPublishers.ofString(form),
      BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(form.getBytes())),
    };
    for (int i = 0; i < bodies.length; i++) {
      var type = i < 2 ? "application/json" : "multipart/form-data; boundary=b";
      var request =
          HttpRequest.newBuilder(URI.create(base + (i < 2 ? "/v1/chat/completions" : "/v1/audio/transcriptions")))
              .header("x-api-key", arguments[1])
              .header("content-type", type)
              .POST(bodies[i])
              .build();
      var response = client.send(request, BodyHandlers.ofString());
      System.out.println(response.statusCode() + " " + response.version() + " " + response.body());
    }
    var rename =
        HttpRequest.newBuilder(URI.create(base + arguments[2]))
            .header("cookie", arguments[3])
            .header("origin", base)
            .header("content-type", "application/json")
            .method("PATCH", BodyPublishers.ofString("{\"name\":\"renamed by Java\"}"))
            .build();
    var response = client.send(rename, BodyHandlers.ofString());
    System.out.println(response.statusCode() + " " + response.version() + " " + response.body());
  }
}
