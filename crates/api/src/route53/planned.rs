//! The operations that have a path but nothing behind it yet: a pure table.

use super::route::Route;

pub(super) const PLANNED: &[Route] = &[
    Route::planned(
        "DisableHostedZoneDNSSEC",
        "POST",
        "/hostedzone/{}/disable-dnssec",
    ),
    Route::planned(
        "EnableHostedZoneDNSSEC",
        "POST",
        "/hostedzone/{}/enable-dnssec",
    ),
    Route::planned("CreateKeySigningKey", "POST", "/keysigningkey"),
    Route::planned("DeleteKeySigningKey", "DELETE", "/keysigningkey/{}/{}"),
    Route::planned(
        "ActivateKeySigningKey",
        "POST",
        "/keysigningkey/{}/{}/activate",
    ),
    Route::planned(
        "DeactivateKeySigningKey",
        "POST",
        "/keysigningkey/{}/{}/deactivate",
    ),
];
