"""AWS Signature Version 4, as much as a benchmark needs: headers, one region, one service."""
import hashlib
import hmac
import time

REGION, SERVICE = "us-east-1", "route53"


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed_headers(key_id, secret, method, host, path, query, body):
    """Headers of a request; `query` is in canonical form already."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/{REGION}/{SERVICE}/aws4_request"
    digest = hashlib.sha256(body).hexdigest()
    canonical = f"{method}\n{path}\n{query}\nhost:{host}\nx-amz-date:{now}\n\nhost;x-amz-date\n{digest}"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    authorization = (f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, "
                     f"SignedHeaders=host;x-amz-date, Signature={signature}")
    return {"Host": host, "X-Amz-Date": now, "Authorization": authorization}
