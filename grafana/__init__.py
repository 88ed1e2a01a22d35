"""The wall in Grafana: dashboards as code, what they ask ClickHouse and Prometheus, and how they get into a Grafana."""
