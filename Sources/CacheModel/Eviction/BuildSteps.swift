/// The steps of builds among the images of a store, and the images that were built by them.
///
/// A step is needed as long as there is an image that stands on its layers: Podman uses it as a build's cache. It goes
/// with the last of them.
package struct BuildSteps: Sendable {
    /// The images, no steps themselves, that stand on a step, by its place among the entries.
    private let users: [Int: Set<Int>]

    /// Finds the steps among entries.
    init(of entries: [CacheEntry]) {
        var tops: [String: [Int]] = [:]
        for place in entries.indices {
            guard let image = entries[place].found.image, image.role == .step, let top = image.layers.first
            else {
                continue
            }
            tops[top, default: []].append(place)
        }
        var users: [Int: Set<Int>] = [:]
        for place in tops.values.joined() { users[place] = [] }
        if !tops.isEmpty {
            for place in entries.indices {
                guard let image = entries[place].found.image, image.role != .step else { continue }
                for layer in image.layers { for step in tops[layer] ?? [] { users[step]?.insert(place) } }
            }
        }
        self.users = users
    }

    /// Whether the entry at that place is a step.
    func isStep(_ place: Int) -> Bool { users[place] != nil }

    /// Whether no image stands on the entry at that place, as far as it is a step.
    func isUnneeded(_ place: Int) -> Bool { users[place]?.isEmpty ?? true }

    /// Whether the entry at that place is a step of which all images are among those that are gone.
    func isUnneeded(_ place: Int, without gone: Set<Int>) -> Bool {
        users[place]?.isSubset(of: gone) ?? false
    }

    /// The steps that are needed by some of these images and by no others.
    func neededOnly(by images: Set<Int>) -> Set<Int> {
        Set(users.lazy.filter { !$0.value.isEmpty && $0.value.isSubset(of: images) }.map(\.key))
    }
}
