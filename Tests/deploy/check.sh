#!/bin/sh
# Checks the manifests, the runner's files and the profiles of deploy/ without a cluster. Run it as
#   Tests/deploy/tools.py run manifests
# which has put kubectl, helm, kubernetes-validate, checkov and promtool in reach, and a newer Maven at $MAVEN.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
deploy=$(cd "$here/../../deploy" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
versions="1.33 1.36"

# Whatever overlay there is: a new one is checked without a word here.
for overlay in "$deploy"/overlays/*/kustomization.yaml; do
    name=$(basename "$(dirname "$overlay")")
    kubectl kustomize "$deploy/overlays/$name" > "$work/$name.yaml"
    python "$here/references.py" "$work/$name.yaml"
    # More slots, or another driver, are the same manifests once more.
    case $name in
    slots-* | overlay-store) ;;
    *) set -- "$@" -f "$work/$name.yaml" ;;
    esac
    echo "ok   overlay $name"
done
for overlay in example example-pool-b node monitoring; do
    kubectl kustomize "$deploy/$overlay" > "$work/$overlay.yaml"
    python "$here/references.py" "$work/$overlay.yaml"
    echo "ok   $overlay"
done
python "$here/adapted.py" "$deploy" "$work"
for rendered in "$work"/adapted-*.yaml "$work/store-twice.yaml"; do
    python "$here/references.py" "$rendered"
done
echo "ok   what is adapted in one place"
python "$here/networks.py" "$deploy"
python "$here/openshift.py" "$deploy"
python "$here/proxied.py" "$deploy" "$MAVEN"
echo "ok   what policies and OpenShift let through"

# The daemon that only watches goes with any of them.
python "$here/watch.py" "$deploy" "$work"
for rendered in "$work"/watch-*.yaml; do
    python "$here/references.py" "$rendered"
    echo "ok   $(basename "$rendered" .yaml)"
done

set -- "$@" -f "$work/watch-slots.yaml"
exceptions=$(sed -n 's/^\(CKV[A-Z0-9_]*\) .*/\1/p' "$here/checkov-exceptions.txt" | paste -sd,)
checkov --skip-download --quiet --compact --framework kubernetes --skip-check "$exceptions" "$@"
echo "ok   checkov"

# Pod Security's own rules, on every pod of every overlay and on those that the runner makes.
python "$here/pod_security.py" "$work"/*.yaml
python "$here/runner_values.py" "$deploy" "$work"
mkdir "$work/jobs"
python "$here/pod_security.py" --jobs "$work/jobs" "$work"/*.toml "$deploy/gitlab-runner/config.toml"
echo "ok   Pod Security, the runner's values and job pods"

kubectl kustomize "$deploy/example-monitoring" | python "$here/monitoring.py"
python -c 'import sys, yaml; print(yaml.dump(yaml.safe_load(sys.stdin)["spec"]))' \
    < "$deploy/monitoring/rules.yaml" > "$work/rules.yaml"
cp "$here"/alerts*.test.yaml "$work"
promtool check rules "$work/rules.yaml" > /dev/null
promtool test rules "$work"/alerts*.test.yaml
echo "ok   alerts"
larder=${LARDER:-$here/../../.build/debug/larder}
if [ -x "$larder" ]; then
    /usr/bin/python3 "$here/fleet.py" "$larder" "$deploy/monitoring/rules.yaml"
    python "$here/configurations.py" "$larder" "$deploy"
    for file in "$deploy/gitlab-runner/values.yaml" "$work"/*.toml; do
        "$larder" lint-runner --strict "$file" > "$work/lint" || { cat "$work/lint"; exit 1; }
    done
    echo "ok   lint-runner"
else
    echo "skipped: two Larders in one Prometheus (build larder first, or set LARDER)"
fi

kubectl kustomize "$deploy/gitlab-runner" > "$work/runner.yaml"
# Several files at once: reading the schemas takes longer than a file.
for version in $versions; do
    kubernetes-validate --quiet -k "$version" --strict "$work"/slots.yaml "$work"/readonly-store.yaml "$work"/daemon.yaml \
        "$work"/restricted.yaml "$work"/example*.yaml "$work"/node.yaml "$work"/runner.yaml "$work"/jobs/*.yaml
done
kubernetes-validate --quiet -k "$version" --strict "$work"/watch-slots.yaml "$work"/adapted-slots.yaml \
    "$work"/adapted-readonly-store.yaml "$work"/adapted-daemon.yaml
echo "ok   schemas of Kubernetes $versions"

# The runner's rights: in the namespace of its jobs, for the account that the chart is told to use.
checkov --skip-download --quiet --compact --framework kubernetes -f "$work/runner.yaml"
python "$here/runner_rights.py" "$work/runner.yaml" "$deploy/gitlab-runner"
echo "ok   the runner's rights"

find "$deploy" "$here/.." -maxdepth 2 -type f -exec sh -c 'head -n 1 "$1" | grep -qE "^#!.*sh$"' sh {} \; -print0 \
    | xargs -0 shellcheck --severity=warning "$here/../../.ci/run"
echo "ok   shell scripts"
/usr/bin/python3 "$deploy/podman-sidecar/flatten_seccomp.py" --check
/usr/bin/python3 "$deploy/podman-sidecar/variants.py" --check
# The image's packages are the ones that Package.swift asks for.
/usr/bin/python3 - "$deploy/image/packages.json" "$here/../../Package.swift" <<'END'
import json, re, sys
pins = {pin["location"].removesuffix(".git"): pin["state"].get("version") for pin in json.load(open(sys.argv[1]))["pins"]}
for url, version in re.findall(r'url: "([^"]+)", exact: "([^"]+)"', open(sys.argv[2]).read()):
    if pins.get(url.removesuffix(".git")) != version:
        sys.exit(f"packages.json has {pins.get(url)} of {url}, Package.swift asks for {version}")
END
/usr/bin/python3 "$here/prepare.py" "$deploy"
python "$here/guide.py" "$deploy"
echo "ok   seccomp.json, the variants, a node and the guide"
