// snippet.show
import Fetch

let url = CommandLine.arguments.dropFirst().first ?? "http://127.0.0.1:8080/"

try Reactor.run {
    try await withFetcher { fetcher in
        let response = try await fetcher.get(url)
        print(response.status, response[.contentType] ?? "no content type")
        print(response.text)
    }
}
