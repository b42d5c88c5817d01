use std::fmt;

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

/// How many steps run at the same time.
const AT_ONCE: usize = 8;

/// The difference between what is needed and what exists.
#[derive(Debug, Default)]
pub struct Plan {
    /// The steps that come first, one after the other: streams.
    pub(crate) first: Vec<Step>,
    /// The steps that come then, in any order.
    pub(crate) then: Vec<Step>,
    /// Why the plan cannot be applied: what would lose data, a sentence each.
    pub(crate) refused: Vec<String>,
}

/// One change.
pub(crate) struct Step {
    pub(crate) says: String,
    pub(crate) work: BoxFuture<'static, Result<()>>,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl Step {
    pub(crate) fn new(says: impl Into<String>, work: impl Future<Output = Result<()>> + Send + 'static) -> Self {
        Self { says: says.into(), work: Box::pin(work) }
    }

    async fn take(self) -> Result<()> {
        tracing::info!("{}", self.says);
        self.work.await.with_context(|| format!("this failed: {}", self.says))
    }
}

impl Plan {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.then.is_empty() && self.refused.is_empty()
    }

    /// One line for each change and each refusal.
    pub fn lines(&self) -> Vec<String> {
        let steps = self.first.iter().chain(&self.then).map(|step| step.says.clone());
        steps.chain(self.refused.iter().map(|sentence| format!("refused: {sentence}"))).collect()
    }

    /// Applies the plan; changes nothing at all when something is refused.
    ///
    /// # Errors
    /// What was refused or has failed. Applying a new plan after a failure is harmless.
    pub async fn apply(self) -> Result<()> {
        if !self.refused.is_empty() {
            bail!("nothing is changed, as this would lose data:\n{}", self.refused.join("\n"));
        }
        for step in self.first {
            step.take().await?;
        }
        stream::iter(self.then.into_iter().map(Step::take)).buffer_unordered(AT_ONCE).try_collect().await
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.first.extend(other.first);
        self.then.extend(other.then);
        self.refused.extend(other.refused);
    }
}
