"""Reading what a run has written."""
import json


def read_rows(path):
    head, rows = {}, []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "cell" in row:
                rows.append(row)
            elif "seconds" in row:
                head["environment"]["seconds"] = head["environment"].get("seconds", 0) + row["seconds"]
            else:
                head = row
    return head, rows


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
