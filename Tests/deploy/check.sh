#!/bin/sh
# Checks the manifests, the runner's files and the profiles of deploy/ without a cluster. Run it as
#   Tests/deploy/tools.py run manifests
# which has put kubectl, kubernetes-validate, checkov and promtool in reach.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
deploy=$(cd "$here/../../deploy" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
versions="1.33 1.35 1.37"

# Whatever overlay there is: a new one is checked without a word here.
for overlay in "$deploy"/overlays/*/kustomization.yaml; do
    name=$(basename "$(dirname "$overlay")")
    kubectl kustomize "$deploy/overlays/$name" > "$work/$name.yaml"
    for version in $versions; do
        kubernetes-validate --quiet -k "$version" --strict "$work/$name.yaml"
    done
    python "$here/references.py" "$work/$name.yaml"
    set -- "$@" -f "$work/$name.yaml"
    echo "ok   overlay $name"
done

# The daemon that only watches goes with any of them.
python "$here/watch.py" "$deploy" "$work"
for rendered in "$work"/watch-*.yaml; do
    for version in $versions; do
        kubernetes-validate --quiet -k "$version" --strict "$rendered"
    done
    python "$here/references.py" "$rendered"
    set -- "$@" -f "$rendered"
    echo "ok   $(basename "$rendered" .yaml)"
done

# Components are no manifests by themselves. Those that no overlay has are rendered on top of `shared`.
for component in "$deploy"/components/*/kustomization.yaml; do
    folder=$(dirname "$component")
    name=$(basename "$folder")
    if grep -rqs "/$name\$" "$deploy"/overlays "$deploy"/components || [ "$name" = watch ]; then continue; fi
    mkdir -p "$work/deploy"
    cp -R "$deploy/base" "$deploy/components" "$deploy/overlays" "$work/deploy"
    mkdir "$work/deploy/with-$name"
    cat > "$work/deploy/with-$name/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ci
resources: [../overlays/shared]
components: [../components/$name]
END
    kubectl kustomize "$work/deploy/with-$name" > "$work/with-$name.yaml"
    # The Prometheus Operator's kinds have no schema in Kubernetes.
    python "$here/references.py" --known-kinds "$work/with-$name.yaml" > "$work/known-$name.yaml"
    for version in $versions; do
        kubernetes-validate --quiet -k "$version" --strict "$work/known-$name.yaml"
    done
    python "$here/references.py" "$work/with-$name.yaml"
    set -- "$@" -f "$work/known-$name.yaml"
    echo "ok   component $name"
done

exceptions=$(sed -n 's/^\(CKV[A-Z0-9_]*\) .*/\1/p' "$here/checkov-exceptions.txt" | paste -sd,)
checkov --skip-download --quiet --compact --framework kubernetes --skip-check "$exceptions" "$@"
echo "ok   checkov"

kubectl kustomize "$deploy/monitoring" > /dev/null
python -c 'import sys, yaml; print(yaml.dump(yaml.safe_load(sys.stdin)["spec"]))' \
    < "$deploy/monitoring/rules.yaml" > "$work/rules.yaml"
cp "$here"/alerts*.test.yaml "$work"
promtool check rules "$work/rules.yaml" > /dev/null
promtool test rules "$work"/alerts*.test.yaml
echo "ok   alerts"
larder=${LARDER:-$here/../../.build/debug/larder}
if [ -x "$larder" ]; then
    /usr/bin/python3 "$here/fleet.py" "$larder" "$deploy/monitoring/rules.yaml"
else
    echo "skipped: two Larders in one Prometheus (build larder first, or set LARDER)"
fi

# The runner's rights: in the namespace of its jobs, for the account that the chart is told to use.
kubectl kustomize "$deploy/gitlab-runner" > "$work/runner.yaml"
for version in $versions; do
    kubernetes-validate --quiet -k "$version" --strict "$work/runner.yaml"
done
checkov --skip-download --quiet --compact --framework kubernetes -f "$work/runner.yaml"
python "$here/runner_rights.py" "$work/runner.yaml" "$deploy/gitlab-runner"
echo "ok   the runner's rights"

# The chart's values hold the runner's file a second time; name, url and token are the chart's own.
python - "$deploy/gitlab-runner" <<'END'
import sys, tomllib, yaml
with open(f"{sys.argv[1]}/config.toml", "rb") as file:
    runner = tomllib.load(file)["runners"][0]
with open(f"{sys.argv[1]}/values.yaml") as file:
    chart = tomllib.loads(yaml.safe_load(file)["runners"]["config"])["runners"][0]
if {**runner, "name": 0, "url": 0, "token": 0} != {**chart, "name": 0, "url": 0, "token": 0}:
    sys.exit("values.yaml and config.toml differ")
END
echo "ok   values.yaml"

find "$deploy" "$here/.." -maxdepth 2 -type f -exec sh -c 'head -n 1 "$1" | grep -qE "^#!.*sh$"' sh {} \; -print0 \
    | xargs -0 shellcheck --severity=warning "$here/../../.ci/run"
echo "ok   shell scripts"
/usr/bin/python3 "$deploy/podman-sidecar/flatten_seccomp.py" --check
echo "ok   seccomp.json"
