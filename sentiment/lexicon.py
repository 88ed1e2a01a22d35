"""What a careful person knows about words that the training reviews hardly hold: emoji, slang, complaint words.

Decides which signs and phrases lean which way. It is written by hand for this project; the training takes it as
extra lines (see sentiment/training), so that judging itself knows no rules but weights.
"""

POSITIVE_EMOJI = (
    "😀😃😄😁😆😊🙂😇🥰😍🤩😘😗😚😙😋😎🤗🥳😺😸😻👍👏🙌💪💯🔥❤🧡💛💚💙💜💖💗💓💕💞💝🌹🌸🎉🎊✨⭐🌟👌✌☺☻♥♡😌🤝💐🏆🥇✔✅🈵"
)
NEGATIVE_EMOJI = "😠😡🤬😤😒🙄😞😔😟😕🙁☹😣😖😫😩😢😭😨😰😱😥😓🤢🤮😷🤒💩👎👿😾😿💔😑😐🤦🤡🖕❌🆘😵🥵💢🚫😬"
