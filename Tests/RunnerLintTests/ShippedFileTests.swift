import Foundation
import RunnerLint
import Testing

/// Changes one thing at a time in the shipped file, which is faultless, and expects the one finding.
@Suite struct ShippedFileTests {
    struct Change: Sendable, CustomTestStringConvertible {
        var old: String
        var new: String
        /// The findings, in the order of their lines.
        var rules: [String]
        /// A text on the line of the first of them, in the changed file.
        var place: String

        init(_ old: String, _ new: String, _ rules: String..., at place: String) {
            (self.old, self.new, self.rules, self.place) = (old, new, rules, place)
        }

        var testDescription: String { "\(rules): \(new)" }
    }

    @Test func isFaultless() throws {
        #expect(RunnerLint().check(try RunnerFiles.shipped()) == [])
    }

    static let changes = [
        Change(
            "run_as_non_root = true", "run_as_non_root = false", "runs-as-root",
            at: "[runners.kubernetes.pod_sec"),
        Change(
            "run_as_user = 1001", "run_as_user = 0", "runs-as-root",
            at: "[runners.kubernetes.pod_security_context]"),
        Change(
            "proc_mount =", "run_as_user = 0\nproc_mount =", "runs-as-root", "socket-user",
            at: "run_as_user = 0"),
        Change("privileged = false", "privileged = true", "privileged", at: "privileged = true"),
        Change("privileged = false", "Privileged = true", "privileged", at: "Privileged = true"),
        Change(
            "proc_mount =", "run_as_non_root = false\nproc_mount =", "runs-as-root",
            at: "run_as_non_root = false"),
        Change("proc_mount =", "run_as_user = 1002\nproc_mount =", "socket-user", at: "run_as_user = 1002"),
        Change(
            "[runners.kubernetes.build_container_security_context.capabilities]",
            "[runners.kubernetes.build_container_security_context]\nallow_privilege_escalation = true\n"
                + "[runners.kubernetes.build_container_security_context.capabilities]",
            "privilege-escalation", at: "allow_privilege_escalation = true"),
        Change("allow_privilege_escalation = false", "", "privilege-escalation", at: "[runners.kubernetes]"),
        Change("\"SETGID\"", "\"SYS_ADMIN\"", "capabilities", at: "SYS_ADMIN"),
        Change("drop = [\"ALL\"]", "drop = []", "capabilities", at: "[runners.kubernetes]"),
        Change(
            "type = \"Localhost\"", "type = \"Unconfined\"", "seccomp",
            at: "context.seccomp_profile]\n        type = \"Unc"),
        Change("type = \"RuntimeDefault\"", "", "seccomp", at: "[runners.kubernetes]"),
        Change("type = \"RuntimeDefault\"", "type = \"Unconfined\"", "seccomp", at: "type = \"Unc"),
        Change(
            "'''\nhostUsers: false", "'''\nhostNetwork: true\nhostUsers: false", "patch",
            at: "[[runners.kubernetes.pod_s"),
        Change(
            "poll_timeout = 600", "namespace_overwrite_allowed = \".*\"", "overwrite",
            at: "namespace_overwrite"),
        Change(
            "poll_timeout = 600", "bearer_token_overwrite_allowed = true", "overwrite",
            at: "bearer_token_over"),
        Change(
            "[[runners.kubernetes.services]]",
            "[[runners.kubernetes.services]]\nname = \"docker:28.5-dind\"\n[[runners.kubernetes.services]]",
            "docker-in-docker", "allowed-services", at: "name = \"docker:"),
        Change("builds_dir = \"/builds\"", "builds_dir = \"/cache/builds\"", "builds-dir", at: "builds_dir"),
        Change(
            "[[runners.kubernetes.services]]",
            "[[runners.kubernetes.volumes.nfs]]\nname = \"n\"\nserver = \"n\"\npath = \"/\"\nmount_path = \"/nfs\"\n"
                + "[[runners.kubernetes.services]]",
            "nfs", at: "[[runners.kubernetes.volumes.nfs]]"),
        Change(
            "DOCKER_HOST=unix:///sockets", "DOCKER_HOST=unix:///run", "docker-host", at: "environment = ["),
        Change("FF_PRINT_POD_EVENTS", "FF_PRINT_PODS_EVENTS", "unknown-flag", at: "FF_PRINT_PODS"),
        Change(
            "\"HOME=/tmp\",", "\"HOME=/tmp\", \"FF_PRINT_PODS_EVENTS=true\",", "unknown-flag",
            at: "environment = ["),
        Change("\"JAVA_TOOL_OPTIONS=-Duser.home=/tmp\",", "", "home", at: "environment = ["),
        Change("executor = \"kubernetes\"", "executor = \"docker\"", "executor", at: "executor ="),
        Change("'''\nhostUsers: false", "'''", "proc-mount", at: "proc_mount"),
        Change("automount_service_account_token = false", "", "token", at: "[runners.kubernetes]"),
        Change(
            "[\"system\"", "[\"--root=/podman-data/storage\", \"system\"", "shared-store", at: "command = ["),
        Change("[\"system\"", "[\"--root=/other\", \"system\"", "store-lost", at: "command = ["),
        Change(
            "[\"system\"", "[\"--storage-driver=btrfs\", \"system\"", "storage-driver", at: "command = ["),
        Change("medium = \"Memory\"", "", "socket", at: "volumes.empty_dir]]"),
        Change("size_limit = \"16Mi\"", "", "socket", at: "volumes.empty_dir]]"),
        Change(
            "mount_path = \"/sockets\"", "mount_path = \"/elsewhere\"", "socket", at: "kubernetes.services]]"),
        Change("[ ! -S /sockets/podman.sock ]", "false", "socket-wait", at: "kubernetes.services]]"),
        Change(
            "HONOR_ENTRYPOINT = false", "HONOR_ENTRYPOINT = true", "honor-entrypoint", at: "command = ["),
        Change(
            "EXECUTION_STRATEGY = false", "EXECUTION_STRATEGY = true", "legacy-strategy", at: "[[runners]]"),
        Change("\"STORAGE_DRIVER=\",", "", "service-environment", at: "environment = [\n        \"HOME"),
        Change(
            "mount_path = \"/podman-data\"", "mount_path = \"/cache\"", "mount-twice",
            at: "[[runners.kubernetes.volumes.pvc]]\n      name = \"gitlab-podman"),
        Change("cache_dir = \"/tmp/runner-cache\"", "", "cache-dir", at: "[[runners]]"),
        Change("\"/tmp/runner-cache\"", "\"/cache\"", "cache-dir", at: "cache_dir"),
        // Another directory of the same volume is pruned as little.
        Change("\"/tmp/runner-cache\"", "\"/cache/runner\"", "cache-dir", at: "cache_dir"),
        Change("\"/tmp/runner-cache\"", "\"/podman-data/archives\"", "cache-dir", at: "cache_dir"),
        Change("    \"HOME=/tmp\",\n", "", "home", at: "environment = ["),
        Change(":3.9.9-eclipse-temurin-17", ":latest", "image-not-pinned", at: "image = "),
        Change(
            "SPEC_CONFIGURATION = true", "SPEC_CONFIGURATION = false", "pod-spec-flag",
            at: "[[runners.kubernetes.pod_spec]]"),
        Change(
            "fsGroupChangePolicy: OnRootMismatch", "fsGroupChangePolicy: Always", "fs-group", at: "fs_group"),
        Change("namespace = \"ci\"", "", "namespace", at: "[runners.kubernetes]"),
        Change("token = \"glrt-REPLACE\"", "", "registration", at: "[[runners]]"),
        Change("poll_timeout = 600", "poll_timeout = \"600\"", "wrong-kind", at: "poll_timeout"),
        Change("poll_timeout = 600", "cap_drop = [1]", "wrong-kind", at: "cap_drop"),
        Change("poll_timeout = 600", "pol_timeout = 600", "unknown-key", at: "pol_timeout"),
        Change("poll_timeout = 600", "concurrent = 4", "misplaced-key", at: "    concurrent = 4"),
        Change("poll_timeout = 600", "poll_timeout = 600 600", "syntax", at: "600 600"),
        Change(
            "allowed_services = [\"registry.example.com/ci/larder-podman:5.8.2\"]", "", "allowed-services",
            at: "[runners.kubernetes.service_container_security_context]"),
        Change(
            "name = \"registry.example.com/ci/larder-podman:5.8.2\"",
            "name = \"registry.example.com/ci/larder-podman:5.8.3\"", "allowed-services",
            at: "name = \"registry.example.com/ci/larder-podman:5.8.3"),
        Change(
            "poll_timeout = 600", "image_pull_secrets = [\"registry\"]", "pull-policy", at: "pull_policy = ["),
        Change("\n    memory_limit = \"4Gi\"", "", "resources", at: "[runners.kubernetes]"),
        Change("service_memory_request = \"1Gi\"", "", "resources", at: "[runners.kubernetes]"),
        Change("memory_limit = \"4Gi\"", "memory_limit = \"4 GB\"", "bad-value", at: "memory_limit = \"4 GB"),
        Change("memory_limit = \"4Gi\"", "memory_limit = \"4GiB\"", "bad-value", at: "memory_limit = \"4GiB"),
        Change("memory_limit = \"4Gi\"", "memory_limit = \"1Gi\"", "bad-value", at: "memory_request = \"2Gi"),
        Change("size_limit = \"16Mi\"", "size_limit = \"16mb\"", "bad-value", at: "size_limit = \"16mb"),
        Change("[\"if-not-present\"]", "[\"IfNotPresent\"]", "bad-value", at: "pull_policy = ["),
        Change(
            "medium = \"Memory\"", "medium = \"memory\"", "socket", "bad-value",
            at: "[[runners.kubernetes.volumes.empty_dir]]"),
        Change(
            "patch_type = \"strategic\"", "patch_type = \"strategical\"", "bad-value", at: "patch_type"),
        Change(
            "\"ci-cache/pool\" = \"a\"", "", "node-selector", at: "[[runners.kubernetes.volumes.pvc]]"),
        Change(
            "[runners.kubernetes.pod_labels]",
            "[runners.kubernetes.node_tolerations]\n      \"a=b\" = \"NoSchdule\"\n      \"c\" = \"\"\n      \"d\" = \"NoExecute\"\n"
                + "    [runners.kubernetes.pod_labels]",
            "bad-value", at: "\"a=b\""),
        Change(
            "\"ci-cache/network\" = \"registries\"", "", "network-label",
            at: "[runners.kubernetes.pod_labels]"),
        Change(
            "mount_path = \"/cache\"", "mount_path = \"/cache\"\n      read_only = true", "read-only-cache",
            at: "read_only = true"),
        Change(
            "[[runners.kubernetes.volumes.empty_dir]]",
            "[[runners.kubernetes.volumes.empty_dir]]\n      name = \"fast\"\n"
                + "      mount_path = \"/cache/repository/team\"\n"
                + "    [[runners.kubernetes.volumes.empty_dir]]", "nested-mount",
            at: "[[runners.kubernetes.volumes.empty_dir]]"),
        Change(
            "mount_path = \"/podman-data\"", "mount_path = \"/podman-data\"\n      read_only = true",
            "read-only-store", at: "environment = [\n        \"HOME"),
        Change(
            "name = \"gitlab-podman-cache-pvc\"", "name = \"gitlab-podman-$STORE\"", "claim-choice",
            at: "name = \"gitlab-podman-$STORE"),
        Change(
            "name = \"gitlab-podman-cache-pvc\"", "name = \"$CI_CONCURRENT_ID-store\"", "claim-choice",
            at: "name = \"$CI_CONCURRENT_ID"),
        Change(
            "alias = \"podman\"", "alias = \"docker\"", "patch-target", at: "[[runners.kubernetes.pod_spec]]"),
        Change("concurrent = 4", "concurrent = 0", "concurrent", at: "concurrent = 0"),
        Change("\nconcurrent = 4", "", "concurrent", at: "# GitLab Runner for the overlay"),
        Change(
            "\"CONTAINERS_CONF_OVERRIDE=\",", "", "service-environment", at: "environment = [\n        \"HOME"
        ),
        Change(
            "\"HOME=/tmp\",",
            "\"HOME=/tmp\", \"MAVEN_OPTS=-Daether.syncContext.named.factory=file-lock\",", "maven-locks",
            at: "environment = ["),
    ]

    @Test(arguments: changes) func oneChangeHasOneFinding(_ change: Change) throws {
        let file = try RunnerFiles.shipped()
        let range = try #require(file.range(of: change.old))
        let changed = file.replacingCharacters(in: range, with: change.new)
        let findings = RunnerLint().check(changed)
        #expect(findings.map(\.rule) == change.rules)
        let place = try #require(changed.range(of: change.place))
        let lines = changed[..<place.lowerBound].count { $0 == "\n" }
        #expect(findings.first?.line == lines + 1)
    }

    /// What a job's variables can undo, though it looks right.
    @Test func aFlagInTheEnvironmentIsAJobsToTurnOff() throws {
        let file = try RunnerFiles.shipped()
            .replacing("    FF_USE_ADVANCED_POD_SPEC_CONFIGURATION = true\n", with: "")
            .replacing(
                "    \"HOME=/tmp\",\n    #",
                with: "    \"HOME=/tmp\",\n    \"FF_USE_ADVANCED_POD_SPEC_CONFIGURATION=true\",\n    #")
        let findings = RunnerLint().check(file)
        #expect(findings.map(\.rule) == ["pod-spec-flag"])
        #expect(findings.first?.severity == .error)
        #expect(findings.first?.cure.contains("[runners.feature_flags]") == true)
    }

    @Test func aSlotsClaimNeedsTheLabelThatThePolicyGoesBy() throws {
        let slots = try RunnerFiles.shipped().replacing(
            "gitlab-podman-cache-pvc", with: "gitlab-podman-cache-pvc-$CI_CONCURRENT_ID")
        #expect(RunnerLint().check(slots) == [])
        let bare = RunnerLint().check(slots.replacing("\"ci-cache/claims\" = \"\"", with: ""))
        #expect(bare.map(\.rule) == ["claim-choice"])
        #expect(bare.first?.severity == .warning)
    }

    /// The same change, in each way that the runner takes it; and words in a comment, which change nothing.
    @Test(arguments: [
        ("strategic", "hostUsers: false\nhostNetwork:    true\n", ["patch"]),
        (
            "strategic",
            "{\"hostUsers\": false, \"containers\": [{\"name\": \"build\", \"securityContext\": {\"privileged\": true}}]}",
            ["patch"]
        ),
        (
            "merge", "hostUsers: false\nvolumes:\n- name: v\n  hostPath:\n    path: /\n",
            ["patch", "patch-type"]
        ),
        (
            "json",
            "[{\"op\": \"add\", \"path\": \"/hostUsers\", \"value\": false}, {\"op\": \"add\", \"path\": \"/hostPID\", \"value\": true}]",
            ["patch"]
        ),
        ("json", "- op: add\n  path: /hostUsers\n  value: false\n", []),
        ("strategic", "hostUsers: false # not hostNetwork: true\n", []),
        ("strategic", "hostUsers: \"false\"\n# hostUsers: false\n", ["proc-mount"]),
        ("strategic", "hostUsers: [\n", ["patch", "proc-mount"]),
    ]) func aPatchIsReadAsWhatItIs(_ type: String, _ patch: String, _ rules: [String]) throws {
        var file = try RunnerFiles.shipped()
        let start = try #require(file.range(of: "      patch_type = \"strategic\"\n      patch = '''\n"))
        file =
            String(file[..<start.lowerBound])
            + "      patch_type = \"\(type)\"\n      patch = '''\n\(patch)'''\n"
        let found = RunnerLint().check(file).map(\.rule).filter { $0 != "fs-group" }
        #expect(found.sorted() == rules.sorted(), "\(patch)")
    }
}
