"""Buckets of an S3-compatible store, over HTTP."""

from contextlib import contextmanager
from uuid import uuid4

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer


class Bucket:
    """What is in it, past our own store; `address` is as a setting has it."""

    def __init__(self, session, name, address):
        self.session, self.name, self.address = session, name, address

    def keys(self):
        return [each["Key"] for each in self.session.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def go_away(self):
        self.session.delete_bucket(Bucket=self.name)

    def come_back(self):
        self.session.create_bucket(Bucket=self.name)


@contextmanager
def bucket_of_its_own():
    """A new bucket in a store that is started for it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        session = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            aws_access_key_id="k",
            aws_secret_access_key="s",
            region_name="us-east-1",
        )
        name = f"bucket-{uuid4().hex}"
        session.create_bucket(Bucket=name)
        yield Bucket(session, name, f"s3+http://k:s@{host}:{port}/{name}?region_name=us-east-1")
    finally:
        server.stop()
