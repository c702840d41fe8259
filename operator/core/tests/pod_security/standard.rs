//! The Pod Security Standard `restricted` as a checker of pods: the published rules, read from a pod as the API server gets it.
//!
//! Written from https://kubernetes.io/docs/concepts/security/pod-security-standards, and apart from the code that builds pods.

use serde_json::Value;

/// The kinds of volumes that are allowed.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
/// The kernel settings that are namespaced and safe.
const SYSCTLS: [&str; 11] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
];
/// The SELinux types that are allowed.
const SELINUX_TYPES: [&str; 5] =
    ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// What a pod template breaks of the standard; empty where it keeps it.
pub fn violations(template: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let pod = &template["spec"];
    annotations(&template["metadata"]["annotations"], &mut found);
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        require(!is_true(&pod[field]), field, &mut found);
    }
    for volume in list(&pod["volumes"]) {
        let kinds: Vec<&String> = volume
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys())
            .filter(|key| *key != "name")
            .collect();
        let allowed = !kinds.is_empty() && kinds.iter().all(|kind| VOLUMES.contains(&kind.as_str()));
        require(allowed, &format!("volume {}", volume["name"]), &mut found);
    }
    let of_pod = &pod["securityContext"];
    for setting in list(&of_pod["sysctls"]) {
        let name = setting["name"].as_str().unwrap_or_default();
        require(SYSCTLS.contains(&name), &format!("sysctl {name}"), &mut found);
    }
    context(of_pod, "pod", &mut found);
    let mut containers = 0;
    for group in ["containers", "initContainers", "ephemeralContainers"] {
        for one in list(&pod[group]) {
            containers += 1;
            container(one, of_pod, &mut found);
        }
    }
    require(containers > 0, "no container", &mut found);
    found
}

/// The older way to say what AppArmor and seccomp do, which the API server still reads.
fn annotations(all: &Value, found: &mut Vec<String>) {
    for (name, value) in all.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let is_confined = value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
        if name.starts_with("container.apparmor.security.beta.kubernetes.io/")
            || name.starts_with("seccomp.security.alpha.kubernetes.io/")
            || name.starts_with("container.seccomp.security.alpha.kubernetes.io/")
        {
            require(is_confined, name, found);
        }
    }
}

/// What a security context may hold, of a pod or of a container.
fn context(context: &Value, of: &str, found: &mut Vec<String>) {
    require(!is_true(&context["windowsOptions"]["hostProcess"]), &format!("{of}: hostProcess"), found);
    for profile in ["seccompProfile", "appArmorProfile"] {
        let kind = context[profile]["type"].as_str();
        require(
            kind.is_none_or(|kind| ["RuntimeDefault", "Localhost"].contains(&kind)),
            &format!("{of}: {profile}"),
            found,
        );
    }
    let selinux = &context["seLinuxOptions"];
    let is_allowed = SELINUX_TYPES.contains(&selinux["type"].as_str().unwrap_or_default());
    let is_unset = |field: &str| selinux[field].as_str().unwrap_or_default().is_empty();
    require(is_allowed && is_unset("user") && is_unset("role"), &format!("{of}: seLinuxOptions"), found);
    require(context["runAsUser"].as_i64() != Some(0), &format!("{of}: runAsUser 0"), found);
}

fn container(container: &Value, of_pod: &Value, found: &mut Vec<String>) {
    let name = container["name"].as_str().unwrap_or("?");
    let own = &container["securityContext"];
    let mut rule = |holds: bool, text: &str| require(holds, &format!("{name}: {text}"), found);
    rule(!is_true(&own["privileged"]), "privileged");
    rule(own["allowPrivilegeEscalation"] == false, "allowPrivilegeEscalation is not false");
    rule(own["procMount"].as_str().is_none_or(|kind| kind == "Default"), "procMount");
    let dropped = list(&own["capabilities"]["drop"]);
    rule(dropped.iter().any(|one| *one == "ALL"), "capabilities are not all dropped");
    let added = list(&own["capabilities"]["add"]);
    rule(added.iter().all(|one| *one == "NET_BIND_SERVICE"), "capabilities are added");
    let non_root = own["runAsNonRoot"].as_bool().or(of_pod["runAsNonRoot"].as_bool());
    rule(non_root == Some(true), "runAsNonRoot is not true");
    let seccomp = own["seccompProfile"]["type"].as_str().or(of_pod["seccompProfile"]["type"].as_str());
    rule(seccomp.is_some(), "no seccomp profile");
    let free = |port: &Value| port["hostPort"].as_i64().is_none_or(|port| port == 0);
    rule(list(&container["ports"]).iter().all(free), "a host port");
    for handler in ["livenessProbe", "readinessProbe", "startupProbe"].map(|probe| &container[probe]) {
        let hosts = [&handler["httpGet"]["host"], &handler["tcpSocket"]["host"]];
        rule(
            hosts.iter().all(|host| host.as_str().unwrap_or_default().is_empty()),
            "a probe of another host",
        );
    }
    context(own, name, found);
}

fn require(holds: bool, rule: &str, found: &mut Vec<String>) {
    if !holds {
        found.push(rule.to_owned());
    }
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
