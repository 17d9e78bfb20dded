//! The region and the profile of a stack on AWS, from the same places as in `sam deploy`.
//!
//! Each of them is taken from the first place that names it:
//!
//! 1. the options `--region` and `--profile`;
//! 2. `samconfig.toml` in the working folder: the deployment whose `stack_name` is the stack;
//! 3. the environment: `AWS_REGION`, then `AWS_DEFAULT_REGION`; `AWS_PROFILE`;
//! 4. for the region, the profile.

use std::collections::BTreeMap;

use runtime::env::Environment;
use serde::Deserialize;
use toml::Value;

/// The configuration file of SAM.
pub(crate) const SAMCONFIG: &str = "samconfig.toml";
/// The variables with a region, in the SDK's order.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const PROFILE_VARIABLE: &str = "AWS_PROFILE";

/// The places that name a region and a profile.
pub(crate) struct Places<'a> {
    /// The name of the stack.
    pub(crate) stack: &'a str,
    /// The option `--region`.
    pub(crate) region: Option<&'a str>,
    /// The option `--profile`.
    pub(crate) profile: Option<&'a str>,
    /// The text of `samconfig.toml`, if there is one.
    pub(crate) samconfig: Option<&'a str>,
    /// The environment.
    pub(crate) environment: &'a Environment,
}

/// The region and the profile to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Session {
    /// The region; `None` if only the profile can name it.
    pub(crate) region: Option<Choice>,
    /// The profile; `None` for the SDK's default.
    pub(crate) profile: Option<Choice>,
}

/// A value and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) source: Source,
}

/// The place that named a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An option of the command line.
    Option,
    /// `samconfig.toml`.
    Samconfig,
    /// A variable of the environment.
    Variable(&'static str),
}

impl Source {
    /// Returns its name for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Option => "command line",
            Self::Samconfig => SAMCONFIG,
            Self::Variable(name) => name,
        }
    }
}

/// Why region and profile are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// `samconfig.toml` is not TOML, or a table of it has another form.
    #[error("{SAMCONFIG} cannot be read")]
    Malformed(#[source] toml::de::Error),
    /// Several deployments of `samconfig.toml` have the stack's name, with different values.
    #[error("{SAMCONFIG} names several values of {name} for the stack {stack}: set --{name}")]
    Ambiguous { stack: String, name: &'static str },
}

/// The parameters of `sam` that matter here.
#[derive(Default, Deserialize)]
struct Parameters {
    stack_name: Option<String>,
    region: Option<String>,
    profile: Option<String>,
}

impl Parameters {
    /// Fills in what only `shared` names.
    fn or(self, shared: Self) -> Self {
        Self {
            stack_name: self.stack_name.or(shared.stack_name),
            region: self.region.or(shared.region),
            profile: self.profile.or(shared.profile),
        }
    }
}

/// Chooses region and profile.
///
/// # Errors
/// [`SessionError`].
pub(crate) fn choose(places: &Places<'_>) -> Result<Session, SessionError> {
    let deployments = places.samconfig.map(|text| deployments(text, places.stack)).transpose()?.unwrap_or_default();
    let in_samconfig = |name: &'static str, read: fn(&Parameters) -> Option<&String>| {
        let mut values: Vec<&String> = deployments.iter().filter_map(read).collect();
        values.sort();
        values.dedup();
        match values.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some((*value).clone())),
            _ => Err(SessionError::Ambiguous { stack: places.stack.to_owned(), name }),
        }
    };
    let in_environment = |names: &[&'static str]| {
        let choice = |name: &&'static str| {
            Some(Choice { value: places.environment.optional(name)?, source: Source::Variable(name) })
        };
        names.iter().find_map(choice)
    };
    let first = |option: Option<&str>, name, read, variables: &[&'static str]| {
        if let Some(value) = option {
            return Ok(Some(Choice { value: value.to_owned(), source: Source::Option }));
        }
        let named = in_samconfig(name, read)?.map(|value| Choice { value, source: Source::Samconfig });
        Ok(named.or_else(|| in_environment(variables)))
    };
    Ok(Session {
        region: first(places.region, "region", |one| one.region.as_ref(), &REGION_VARIABLES)?,
        profile: first(places.profile, "profile", |one| one.profile.as_ref(), &[PROFILE_VARIABLE])?,
    })
}

/// Returns the parameters of every deployment of a stack. A table `global` of an environment applies to its deployment.
fn deployments(text: &str, stack: &str) -> Result<Vec<Parameters>, SessionError> {
    let environments: BTreeMap<String, Value> = toml::from_str(text).map_err(SessionError::Malformed)?;
    let mut found = Vec::new();
    for environment in environments.into_values() {
        let parameters = |command: &str| match environment.get(command).and_then(|table| table.get("parameters")) {
            Some(table) => table.clone().try_into::<Parameters>().map_err(SessionError::Malformed),
            None => Ok(Parameters::default()),
        };
        let deployment = parameters("deploy")?.or(parameters("global")?);
        if deployment.stack_name.as_deref() == Some(stack) {
            found.push(deployment);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use domain::primitives::cause::chain;

    use super::*;

    const SAM: &str = r#"
        version = 0.1
        [default.deploy.parameters]
        stack_name = "bridge-dev"
        region = "eu-central-1"
        profile = "agency"
        [prod.global.parameters]
        stack_name = "bridge"
        region = "eu-south-1"
        [prod.deploy.parameters]
        capabilities = "CAPABILITY_IAM"
    "#;

    fn session(stack: &str, options: [Option<&str>; 2], sam: Option<&str>, set: &[(&str, &str)]) -> [String; 2] {
        let environment = Environment::of(set);
        let [region, profile] = options;
        let chosen = choose(&Places { stack, region, profile, samconfig: sam, environment: &environment }).unwrap();
        [chosen.region, chosen.profile].map(|choice| {
            choice.map_or("-".to_owned(), |choice| format!("{} from {}", choice.value, choice.source.name()))
        })
    }

    #[test]
    fn the_first_place_that_names_a_value_wins() {
        let set = &[("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-west-1"), ("AWS_PROFILE", "mine")];
        for (options, sam, set, expected) in [
            (
                [Some("eu-west-1"), Some("one")],
                Some(SAM),
                set as &[_],
                ["eu-west-1 from command line", "one from command line"],
            ),
            ([None, None], Some(SAM), set, ["eu-central-1 from samconfig.toml", "agency from samconfig.toml"]),
            ([None, None], None, set, ["us-east-1 from AWS_REGION", "mine from AWS_PROFILE"]),
            ([None, None], None, &set[1..], ["us-west-1 from AWS_DEFAULT_REGION", "mine from AWS_PROFILE"]),
            ([None, None], None, &[("AWS_REGION", ""), ("AWS_PROFILE", "")], ["-", "-"]),
            ([None, Some("one")], Some(SAM), &[], ["eu-central-1 from samconfig.toml", "one from command line"]),
        ] {
            assert_eq!(session("bridge-dev", options, sam, set), expected, "{options:?} {set:?}");
        }
    }

    #[test]
    fn the_deployment_of_the_stack_counts_and_no_other() {
        assert_eq!(session("bridge", [None; 2], Some(SAM), &[]), ["eu-south-1 from samconfig.toml", "-"]);
        assert_eq!(session("other", [None; 2], Some(SAM), &[]), ["-", "-"]);
    }

    #[test]
    fn the_samconfig_of_the_repository_names_the_region_of_its_stacks() {
        let sam = include_str!("../../../../samconfig.toml");
        for stack in ["passweb-bridge-dev", "passweb-bridge"] {
            assert_eq!(session(stack, [None; 2], Some(sam), &[]), ["eu-central-1 from samconfig.toml", "-"], "{stack}");
        }
    }

    #[test]
    fn an_unclear_samconfig_is_an_error_unless_an_option_decides() {
        let failure = |sam: &str, region| {
            let environment = Environment::of(&[]);
            let places = Places { stack: "s", region, profile: None, samconfig: Some(sam), environment: &environment };
            choose(&places).map_err(|error| chain(&error)).err().unwrap_or_default()
        };
        let two = |second: &str| {
            format!(
                "[a.deploy.parameters]\nstack_name = 's'\nregion = 'eu-west-1'\n[b.deploy.parameters]\nstack_name = 's'\n\
                 region = '{second}'"
            )
        };
        assert!(failure(&two("eu-west-2"), None).contains("set --region"), "{}", failure(&two("eu-west-2"), None));
        assert_eq!(failure(&two("eu-west-2"), Some("eu-west-3")), "");
        assert_eq!(failure(&two("eu-west-1"), None), "");
        for wrong in ["= 1", "[a.deploy.parameters]\nstack_name = 's'\nregion = 1"] {
            assert!(failure(wrong, None).starts_with("samconfig.toml cannot be read: "), "{}", failure(wrong, None));
        }
    }
}
