use std::{sync::Arc, time::Duration};

use contracts::{Action, AuditSubject, Conditional, GetSettings, SetSettings, Settings, SettingsChanged, changed};
use kit::{Call, Error};

use crate::App;

/// How long the handler waits until the event of a change is published.
const PUBLISHED: Duration = Duration::from_secs(5);

/// Gets the settings. Every caller may read them: they are not confidential, and every page of the
/// console needs them.
pub(crate) async fn get_settings(app: Arc<App>, _: Call, _: GetSettings) -> Result<Settings, Error> {
    app.store.settings.get().await
}

/// Replaces the settings. For admins.
pub(crate) async fn set_settings(
    app: Arc<App>,
    call: Call,
    Conditional { change: SetSettings { settings }, if_match }: Conditional<SetSettings>,
) -> Result<Settings, Error> {
    call.require_admin()?;
    settings.check()?;
    let settings = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let was = app.store.settings.load(tx).await?;
        if_match.require(|| was.tag())?;
        if was != settings {
            app.store.settings.set(tx, &settings).await?;
            tx.emit(&SettingsChanged {}).await?;
            let changes = changed(&was, &settings);
            tx.audit(Action::SettingsChanged, AuditSubject::new("settings", contracts::ORGANIZATION), changes).await?;
        }
        Ok(settings.clone())
    })?;
    // After the event is published, every worker prices new windows with the new time zone. So the
    // handler waits for the event before it answers.
    if let Err(error) = app.db.until_published(PUBLISHED).await {
        tracing::info!(%error, "the new settings are told a little later");
    }
    Ok(settings)
}
