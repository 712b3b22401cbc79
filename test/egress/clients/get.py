"""Gets a URL with a bearer token, by the client that is named: urllib, requests, httpx, httpx2 or aiohttp."""

import os
import sys

client, url = sys.argv[1:]
headers = {"Authorization": "Bearer " + os.environ["API_TOKEN"]}

if client == "urllib":
    import urllib.request

    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
        print(response.status, response.read().decode(), end="")
elif client == "requests":
    import requests

    response = requests.get(url, headers=headers)
    print(response.status_code, response.text, end="")
elif client in ("httpx", "httpx2"):
    import httpx

    with httpx.Client(http2=client == "httpx2") as session:
        response = session.get(url, headers=headers)
        print(response.http_version, response.status_code, response.text, end="")
elif client == "aiohttp":
    import asyncio

    import aiohttp

    async def main():
        async with aiohttp.ClientSession(trust_env=True) as session:
            async with session.get(url, headers=headers) as response:
                print(response.status, await response.text(), end="")

    asyncio.run(main())
