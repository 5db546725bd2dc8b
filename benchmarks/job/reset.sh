systemctl disable --now bench-a.service bench-b.service 2>/dev/null
rm -rf /etc/systemd/system/bench-* /etc/systemd/system/bench.target /opt/bench
systemctl daemon-reload
id bench >/dev/null 2>&1 && userdel bench
getent group bench >/dev/null && groupdel bench
apt-get -qq purge -y jq less tree >/dev/null 2>&1
apt-get -qq autoremove -y --purge libjq1 >/dev/null 2>&1
apt-get -qq clean
true
