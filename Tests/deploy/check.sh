#!/bin/sh
# Checks everything in deploy/ without a cluster. Needs root and Debian 12's
#   podman uidmap busybox-static python3-venv python3-seccomp libcap2-bin iproute2 prometheus shellcheck
# and kubectl. Exit code 3: something is missing, and what.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
deploy=$(cd "$here/../../deploy" && pwd)
for tool in kubectl promtool shellcheck podman newuidmap setcap; do
    command -v "$tool" >/dev/null || { echo "check.sh: $tool is missing; see the head of this script" >&2; exit 3; }
done
venv=${XDG_CACHE_HOME:-/var/tmp}/larder-deploy-check
if [ ! -x "$venv/bin/checkov" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet kubernetes-validate==1.37.0 checkov==3.3.30
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for overlay in shared slots readonly-store restricted daemon; do
    kubectl kustomize "$deploy/overlays/$overlay" > "$work/$overlay.yaml"
    for version in 1.33 1.35 1.37; do
        "$venv/bin/kubernetes-validate" --quiet -k "$version" --strict "$work/$overlay.yaml"
    done
    "$venv/bin/python" "$here/references.py" "$work/$overlay.yaml"
    echo "ok   overlay $overlay"
done

exceptions=$(sed -n 's/^\(CKV[A-Z0-9_]*\) .*/\1/p' "$here/checkov-exceptions.txt" | paste -sd,)
"$venv/bin/checkov" --skip-download --quiet --compact --framework kubernetes --skip-check "$exceptions" \
    -f "$work"/shared.yaml "$work"/slots.yaml "$work"/readonly-store.yaml "$work"/restricted.yaml \
    "$work"/daemon.yaml
echo "ok   checkov"

kubectl kustomize "$deploy/monitoring" > /dev/null
"$venv/bin/python" -c 'import sys, yaml; print(yaml.dump(yaml.safe_load(sys.stdin)["spec"]))' \
    < "$deploy/monitoring/rules.yaml" > "$work/rules.yaml"
cp "$here/alerts.test.yaml" "$work"
promtool check rules "$work/rules.yaml" > /dev/null
promtool test rules "$work/alerts.test.yaml"
echo "ok   alerts"
larder=${LARDER:-$here/../../.build/debug/larder}
if [ -x "$larder" ]; then
    /usr/bin/python3 "$here/fleet.py" "$larder" "$deploy/monitoring/rules.yaml"
else
    echo "skipped: two Larders in one Prometheus (build larder first, or set LARDER)"
fi

# Every metric that the dashboard and the alerts name is one that Larder has.
"$venv/bin/python" "$here/metrics.py" "$deploy/monitoring" "$here/../../Sources/Reporting"
echo "ok   metrics' names"

# The chart's values hold the runner's file a second time; name, url and token are the chart's own.
"$venv/bin/python" - "$deploy/gitlab-runner" <<'END'
import sys, tomllib, yaml
with open(f"{sys.argv[1]}/config.toml", "rb") as file:
    runner = tomllib.load(file)["runners"][0]
with open(f"{sys.argv[1]}/values.yaml") as file:
    chart = tomllib.loads(yaml.safe_load(file)["runners"]["config"])["runners"][0]
if {**runner, "name": 0, "url": 0, "token": 0} != {**chart, "name": 0, "url": 0, "token": 0}:
    sys.exit("values.yaml and config.toml differ")
END
echo "ok   values.yaml"

shellcheck "$here/check.sh"
"$deploy/podman-sidecar/flatten_seccomp.py" --check
echo "ok   seccomp.json"
/usr/bin/python3 "$here/pod.py"
